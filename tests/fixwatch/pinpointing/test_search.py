"""The search over records on disk: what it concludes where nothing is left to measure."""

from __future__ import annotations

import pytest

from fixwatch.errors import FixwatchError
from fixwatch.evidence import save_evidence
from fixwatch.history.repositories import UpstreamCommits
from fixwatch.pinpointing.findings import Settings
from fixwatch.pinpointing.observations import Way
from fixwatch.pinpointing.search import Search
from fixwatch.statistics.search_planning import Answer
from tests.fixwatch.records import new_batch, new_controls, new_record
from tests.subjects.small_numba import create_small_numba

OWN = Way("m", "3.11", "delay")


class NothingToMeasure:
    """A measurer for searches that must not need one."""

    def measure(self, commit):
        """Fail: everything is on disk."""
        raise AssertionError(f"measured {commit}")

    def extend(self, record, workload, schedule, n_trials):
        """Fail likewise."""
        raise AssertionError(f"extended {record.commit} to {n_trials}")


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """Return the small upstream's repository and its commits by name."""
    commits = create_small_numba(tmp_path / "small-numba")
    monkeypatch.chdir(tmp_path)
    return UpstreamCommits((tmp_path / "small-numba" / ".git").as_posix(), "numba"), commits


def search(upstream, tmp_path, failures, revisions="0.58.0..main", n_trials=1000):
    """Search with records of these failures, by name of the commit."""
    repository, commits = upstream
    for name, count in failures.items():
        record = new_record(
            name,
            new_batch(failures=count, trials=n_trials),
            *new_controls(),
            source="commits",
            commit=commits[name],
        )
        save_evidence(record, tmp_path / "results" / "m" / f"{name}.evidence")
    settings = Settings(range=revisions, workload="local-array", target="simulator", own=OWN)
    return Search(
        settings,
        repository.list_range(revisions, relevant_only=True),
        repository,
        tmp_path / "results",
        NothingToMeasure(),
        print,
    ).run()


def test_a_parent_that_agrees_makes_the_place_exact(upstream, tmp_path):
    """The commit before the fix touches nothing relevant, and fails like those before it."""
    failures = {"racy": 950, "last-racy": 960, "remark": 955, "fixed": 0, "newest": 0}
    finding = search(upstream, tmp_path, failures)
    _, commits = upstream
    assert finding.answer is Answer.FOUND
    assert finding.commits[finding.change.placement.at].commit == commits["fixed"]
    assert finding.commits[finding.after].commit == commits["remark"]
    assert finding.is_exact
    # It was taken in beside the candidates of the range.
    assert (finding.n_candidates, len(finding.commits)) == (6, 7)


def test_a_parent_that_disagrees_moves_the_place(upstream, tmp_path):
    """Whatever the selection says: counts show that the change lies in the unselected commit."""
    failures = {"racy": 950, "last-racy": 960, "remark": 0, "fixed": 0, "newest": 0}
    finding = search(upstream, tmp_path, failures)
    _, commits = upstream
    assert finding.answer is Answer.FOUND
    assert finding.commits[finding.change.placement.at].commit == commits["remark"]
    assert finding.commits[finding.after].commit == commits["last-racy"]
    assert finding.is_exact


def test_two_changes_on_record_are_named(upstream, tmp_path):
    """A search for one would make nonsense of them."""
    failures = {"first": 0, "sound": 0, "appeared": 950, "last-racy": 960, "fixed": 0, "newest": 0}
    with pytest.raises(
        FixwatchError, match=r"2 changes: appeared in .*, fixed in .*; give a range"
    ):
        search(upstream, tmp_path, failures, "v0.57..main")
