"""The script that measures the shield: what it runs, and what it takes for a miss."""

from __future__ import annotations

import pytest

from mwe.planned.client import BatchResult
from mwe.shield import cudasim_shield
from scripts import measure_shield
from scripts.measure_shield import COMPARED, DOCUMENT, choose, describe, is_silent, plan

PLANNED = {(batch.workload, batch.schedule): batch for batch in plan(2000)}
SAMPLED = PLANNED["local-array", "handoff"]
EXPLORED = PLANNED["shared-split", "explore"]


def test_each_defect_that_the_shield_names_is_measured():
    """By 2,000 trials of a schedule, or by a whole space, for which there is no time limit."""
    defects = {batch.identity["defect"] for batch in PLANNED.values()}
    assert defects == cudasim_shield.REPAIRS.keys()
    for batch in PLANNED.values():
        assert batch.limit_s is None
        assert batch.is_exploration or batch.n_trials == 2000


def printed(**fields):
    """Return the result of a batch with these fields of what it printed."""
    whole = {"failures": 0, "refusals": 0, "trials": 2000, "status": "complete"}
    return BatchResult({**whole, "space": {"exhausted": True}, **fields})


@pytest.mark.parametrize(
    ("planned", "result", "text", "silent"),
    [
        (SAMPLED, printed(), "0 of 2,000", True),
        (SAMPLED, printed(failures=1), "1 of 2,000", False),
        (SAMPLED, printed(refusals=1), "0 of 2,000", False),
        (SAMPLED, printed(status="stopped"), "0 of 2,000", False),
        (EXPLORED, printed(trials=632), "0 of 632, all", True),
        (EXPLORED, printed(trials=9, space={"exhausted": False}), "0 of 9, a part", False),
        (EXPLORED, BatchResult(stage="batch", reason="gone"), "not run: gone", False),
    ],
)
def test_only_a_whole_batch_without_a_failure_is_silent(planned, result, text, silent):
    """A launch that upstream refuses would be one that the shield does not repair."""
    assert describe(planned, result) == text
    assert is_silent(planned, result) is silent


def test_the_compared_releases_are_in_the_table():
    """A misspelt one would be left out without a word."""
    releases = measure_shield.load_release_table()
    names = [f"{release.upstream} {release.version}" for release in choose(COMPARED, releases)]
    assert sorted(names) == sorted(COMPARED)


@pytest.mark.end_to_end
def test_the_script_measures_a_release_and_writes_its_table(tmp_path):
    """At a size of some seconds."""
    document = tmp_path / "shield.md"
    document.write_text(DOCUMENT.read_text(encoding="utf-8"))
    arguments = ["--quick", "--release", "numba-cuda 0.30.4", "--document", str(document)]
    assert measure_shield.main(arguments) == 0
    text = document.read_text(encoding="utf-8")
    assert "At a small size" in text
    assert "| numba-cuda 0.30.4 | 0 of 50 | 0 of 20 | 0 of " in text
