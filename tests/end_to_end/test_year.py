"""A year of Mondays: the weekly look in a repository of its own, with upstreams that move.

The steps of `.github/workflows/weekly.yml` are run by the commands that they call; what the hosting
service does is stood in for by `tests/end_to_end/hosting.py`. The year is lived once, and each test
looks at what was there after one of its Mondays: the page's document and the issues.
"""

from __future__ import annotations

import contextlib
import json
import os

import pytest

from tests.end_to_end.year import SOUND_LOOK, World, jobs_of, live

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(
        os.environ.get("FIXWATCH_LONG") != "1",
        reason="not run: a year takes four minutes; FIXWATCH_LONG=1 asks for it",
    ),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Live the year."""
    world = World(tmp_path_factory.mktemp("year"))
    with contextlib.closing(world.index):
        live(world)
        yield world
        for monday in world.mondays.values():
            monday.status.wait()


def test_the_first_look_ties_the_runner_to_the_history(world):
    """It measures the newest commit and the releases; the page is as it was, nothing is told."""
    monday = world.mondays["first"]
    assert jobs_of(monday.jobs) == SOUND_LOOK, monday.log
    assert sorted(monday.records) == ["0.900.0", "0.901.0", "racy"]
    assert monday.newest == ("affected", world.commits["racy"])
    assert monday.state == "affected"
    assert monday.document["last_looked_at"]
    assert monday.document["tracker_problem"] is None
    assert monday.issues == []


def test_a_commit_that_does_not_build_is_a_gap_and_no_change(world):
    """The commit before it is measured; one that touches nothing relevant is not."""
    monday = world.mondays["broken build"]
    assert jobs_of(monday.jobs) == SOUND_LOOK, monday.log
    assert {"still-racy", "unbuildable"} <= monday.records.keys()
    assert "prose" not in monday.records
    assert monday.records["unbuildable"].not_run_stage == "build"
    assert monday.newest == ("affected", world.commits["racy"])
    assert monday.issues == []


def test_an_index_that_is_away_is_a_problem_of_the_tracker(world):
    """The page says so, and an issue of its own; when it last looked stays what it was."""
    before, monday = world.mondays["broken build"], world.mondays["index away"]
    assert monday.jobs["plan"].result == "failure"
    assert "the package index does not answer" in monday.log
    assert "plan: failure" in monday.document["tracker_problem"]
    assert monday.document["last_looked_at"] == before.document["last_looked_at"]
    assert [issue["title"] for issue in monday.issues] == ["The weekly check is broken"]
    assert monday.records == before.records


def test_a_fix_is_on_the_page_though_the_issue_cannot_be_written(world):
    """That it cannot is on the page, too."""
    monday = world.mondays["fixed, untold"]
    assert monday.jobs["track"].result == "failure"
    assert monday.newest == ("fixed", world.commits["fixed"])
    assert "track: failure" in monday.document["tracker_problem"]
    assert len(monday.issues) == 1


def test_a_fix_that_could_not_be_told_is_told_by_the_next_look(world):
    """Once, in the tracking issue; the issue of the breakage is closed."""
    monday = world.mondays["told"]
    assert jobs_of(monday.jobs) == {**SOUND_LOOK, "measure": "skipped"}, monday.log
    broken, tracking = monday.issues
    assert broken["state"] == "CLOSED"
    assert "`affected` was recorded, `fixed` is measured" in tracking["body"]
    assert world.commits["fixed"] in tracking["body"]
    assert monday.document["tracker_problem"] is None
    # Until a release has it, that is no answer for who installs releases.
    assert monday.state == "affected"


def test_a_quiet_monday_measures_nothing_and_says_when_it_looked(world):
    """The records stay as they are; the repository has a new commit nevertheless."""
    before, monday = world.mondays["fixed, untold"], world.mondays["told"]
    assert jobs_of(monday.jobs) == {**SOUND_LOOK, "measure": "skipped"}, monday.log
    assert monday.records == before.records
    assert monday.document["last_looked_at"] > before.document["last_looked_at"]


def test_a_look_that_is_cut_off_loses_nothing(world):
    """What was measured before the kill is kept, the rest is measured by the next look."""
    cut, resumed = world.mondays["cut off"], world.mondays["resumed"]
    assert cut.jobs["measure"].result == "failure"
    assert "measure: failure" in cut.document["tracker_problem"]
    assert not {"after", "0.902.0"} <= cut.records.keys()
    assert jobs_of(resumed.jobs) == SOUND_LOOK, resumed.log
    assert {"after", "0.902.0"} <= resumed.records.keys()
    assert resumed.document["tracker_problem"] is None


def test_a_new_release_with_the_fix_is_the_answer(world):
    """It is free of the race, in the table of releases, and a comment of the issue."""
    monday = world.mondays["resumed"]
    assert monday.state == "fixed"
    free = [
        entry["free_from"] for entry in monday.document["advice"] if entry["upstream"] == "numba"
    ]
    assert "0.902.0" in free
    (comment,) = monday.issues[1]["comments"]
    assert "newest release 0.902.0" in comment["body"]


def test_a_recurrence_that_two_runs_find_at_once_is_told_once(world):
    """Both come to their end; the closed issue is reopened with one comment."""
    monday = world.mondays["two at once"]
    assert jobs_of(monday.jobs) == SOUND_LOOK, monday.log
    assert monday.newest == ("affected", world.commits["relapse"])
    assert monday.state == "affected"
    _, tracking = monday.issues[:2]
    assert tracking["state"] == "OPEN"
    _, comment = tracking["comments"]
    assert comment["body"].count("is measured since") == 1
    assert "`fixed` was recorded, `affected` is measured" in comment["body"]


def test_nothing_is_measured_twice_and_nothing_is_lost(world):
    """Each commit that is relevant has one record, which was committed once."""
    counted = world.count_commits_of_results()
    relevant = {"racy", "still-racy", "unbuildable", "fixed", "after", "relapse"}
    assert counted.keys() == relevant
    assert {name for name, count in counted.items() if count > 1} <= {"relapse"}


def test_the_site_is_built_from_what_was_pushed(world):
    """By the commands of the workflow that publishes; the page says what the results say."""
    assert world.built.result == "success", world.built.log
    pages = world.hosting.folder / "pages"
    document = json.loads((pages / "fix-status.json").read_text())
    assert document["last_looked_at"] == world.mondays["two at once"].document["last_looked_at"]
    assert world.commits["relapse"][:8] in (pages / "index.html").read_text()


def test_a_scan_is_planned_measured_and_merged_by_the_commands_of_its_workflow(world):
    """Of one commit, which has a record already; what it changes is up to a person."""
    results = {name: job.result for name, job in world.scanned.items()}
    log = "".join(job.log for job in world.scanned.values())
    assert results == {"plan": "success", "measure": "success", "merge": "success"}, log
    assert "0 refused" in log
