"""When the upstreams were last looked at, and what keeps the tracker from looking."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from fixwatch.history.last_look import (
    MAX_CHANGES,
    FoundChange,
    find_last_look,
    find_tracker_problem,
    load_last_look,
    save_look,
)

PROBLEM = {"version": 1, "since": "2026-11-16T04:30:00+00:00", "text": "measure: failure"}


def change(number=0):
    """Return a change that a look found."""
    return FoundChange(
        found_at="2026-11-16T04:30:00+00:00",
        upstream="numba",
        defect="cuda-swap",
        old="affected",
        new="fixed",
        detail="newest commit: 0 of 120 trials failed",
        recorded_up_to=f"{number:08}",
        newest="main",
    )


def test_a_look_that_finds_nothing_leaves_its_moment(tmp_path):
    """Nothing else of what was measured changes for it."""
    before = datetime.now(timezone.utc).replace(microsecond=0)
    save_look((), tmp_path)
    assert before <= find_last_look(tmp_path) <= datetime.now(timezone.utc)


def test_changes_stay_for_the_issue_and_the_oldest_go(tmp_path):
    """What a look found is kept by the next ones, up to a limit."""
    save_look((change(0),), tmp_path)
    # The next look finds it again as long as it is not on the record.
    save_look((replace(change(0), detail="again"),), tmp_path)
    assert load_last_look(tmp_path).changes == (change(0),)
    for number in range(1, MAX_CHANGES + 1):
        save_look((change(number),), tmp_path)
    kept = load_last_look(tmp_path).changes
    assert len(kept) == MAX_CHANGES
    assert (kept[0], kept[-1]) == (change(1), change(MAX_CHANGES))


def test_without_a_look_nobody_knows_when_somebody_looked(tmp_path):
    """A missing moment is none, and no problem either."""
    assert find_last_look(tmp_path) is None
    assert find_tracker_problem(tmp_path) is None


def test_a_moment_in_the_future_is_no_look(tmp_path):
    """A wrong clock must not make the page look fresh for years."""
    moment = datetime.now(timezone.utc) + timedelta(days=1)
    look = {"version": 1, "looked_at": moment.isoformat(timespec="seconds"), "changes": []}
    (tmp_path / "last-look.json").write_text(json.dumps(look))
    assert find_last_look(tmp_path) is None


def test_a_problem_stands_until_a_look_comes_to_its_end(tmp_path):
    """It is one line with its day."""
    (tmp_path / "tracker-problem.json").write_text(json.dumps(PROBLEM))
    assert find_tracker_problem(tmp_path) == "measure: failure (since 2026-11-16)"
    save_look((), tmp_path)
    assert find_tracker_problem(tmp_path) is None


@pytest.mark.parametrize("name", ["last-look.json", "tracker-problem.json"])
@pytest.mark.parametrize("text", ["", "[]", '{"version": 2}', '{"version": 1, "looked_at": 5}'])
def test_a_damaged_file_is_a_problem_that_names_it(tmp_path, name, text):
    """It costs its own content only, and is no crash."""
    (tmp_path / name).write_text(text)
    assert name in find_tracker_problem(tmp_path)
    assert find_last_look(tmp_path) is None
