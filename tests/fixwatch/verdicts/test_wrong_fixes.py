"""The chance that a wrong fix would have passed, and the table that it rests on."""

from __future__ import annotations

import json
import re

import pytest

from fixwatch.errors import FixwatchError
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.wrong_fixes import (
    find_chances_of_passing,
    load_wrong_fixes,
    save_wrong_fixes,
)
from tests.project import ROOT
from tests.subjects.swaps import RACY


def test_the_table_has_every_planted_wrong_fix_under_every_schedule():
    """One that is planted and not in the table would be left out of every answer."""
    counts = load_wrong_fixes().counts
    assert counts.keys() == RACY.keys()
    assert all(set(schedules) == {"delay", "handoff", "natural"} for schedules in counts.values())


def test_the_document_states_the_same_counts():
    """docs/measurements.md and the table come from one run of the sensitivity script."""
    text = (ROOT / "docs" / "measurements.md").read_text(encoding="utf-8")
    text = text[text.index("<!-- table: sensitivity,") : text.index("<!-- end: sensitivity -->")]
    rows = re.findall(r"^\| ([a-z-]+) \| ([a-z]+) \| (\d+) of (\d+) \|", text, re.MULTILINE)
    stated = {
        (variant, schedule): Counts(int(k), int(n))
        for variant, schedule, k, n in rows
        if variant in RACY
    }
    table = load_wrong_fixes().counts
    assert stated == {
        (variant, schedule): counts
        for variant, schedules in table.items()
        for schedule, counts in schedules.items()
    }


def test_chances_multiply_over_schedules_and_the_worst_comes_first():
    """By hand: after 0 of 1 failed, 1 passes with 3/4; after 1 of 1, with 1/4."""
    counts = {
        "rare": {"delay": Counts(0, 1), "handoff": Counts(1, 1)},
        "plain": {"delay": Counts(1, 1), "handoff": Counts(1, 1)},
    }
    found = find_chances_of_passing({"delay": 1, "handoff": 1, "other": 5}, counts)
    assert [passing.variant for passing in found] == ["rare", "plain"]
    assert [passing.chance for passing in found] == pytest.approx([3 / 16, 1 / 16])


def test_fewer_trials_leave_more_of_a_chance():
    """Half a plan says less than a whole one."""
    counts = load_wrong_fixes().counts
    half, whole = (find_chances_of_passing({"delay": n}, counts)[0].chance for n in (50, 100))
    assert 0 < whole < half < 1


def test_a_saved_table_is_read_again(tmp_path):
    """Saving the committed table writes the same bytes."""
    path = tmp_path / "table.json"
    save_wrong_fixes(load_wrong_fixes(), path)
    committed = ROOT / "fixwatch" / "verdicts" / "wrong_fixes.json"
    assert path.read_bytes() == committed.read_bytes()


TABLE = {"version": 2, "measured_with": "", "counts": {}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not a table"),
        (json.dumps({**TABLE, "version": 1}), "version: Input should be 2"),
        (json.dumps({**TABLE, "counts": {"a": {"delay": {"n_failures": 2, "n_trials": 1}}}}),
         "impossible counts"),
    ],
)  # fmt: skip
def test_a_damaged_table_is_one_line(tmp_path, text, reason):
    """The error says in one line what to do."""
    path = tmp_path / "table.json"
    path.write_text(text)
    with pytest.raises(FixwatchError, match=reason):
        load_wrong_fixes(path)
