"""Explorations of a workload in this process."""

from __future__ import annotations

from mwe.outcomes import FailureMode
from mwe.runner import iter_trials
from mwe.schedules import Explore


def explore(subject, **options):
    """Yield the trials of an exploration, which does not stop at a failure."""
    exploration = Explore(stops_at_failure=False, **options)
    subject.threads_per_block = max(subject.n_threads, exploration.threads)
    yield from iter_trials(subject, exploration, 1, range(1, 10**6))


def find_wrong_result(make_subject):
    """Return the first trial of an exploration that has a wrong result."""
    trials = explore(make_subject(2))
    return next(trial for trial in trials if trial.outcome.mode is FailureMode.WRONG_RESULT)


def assert_wrong_again(make_subject, schedule):
    """Replay a schedule on a fresh subject: it has a wrong result each time."""
    for _ in range(5):
        (again,) = explore(make_subject(2), replay=schedule)
        assert again.outcome.mode is FailureMode.WRONG_RESULT


def assert_never_fails(subject, switches=2):
    """Run the whole space of two threads and so many forced switches without a failure."""
    *trials, last = explore(subject, switches=switches)
    assert not any(trial.outcome.failed for trial in (*trials, last))
    assert last.exploration.space.exhausted
    # A space without a switch to force would be run, too, and would say nothing.
    assert last.exploration.space.points > 0


def assert_right_in_order(make_subject, n_threads):
    """Run active threads each in one go, whichever is first: the oracle accepts what comes out."""
    n_launched = max(2, n_threads)
    trials = list(explore(make_subject(n_threads), switches=0, threads=n_launched))
    assert [trial.outcome.detail for trial in trials] == [""] * n_launched
