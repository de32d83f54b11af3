"""Threads that wait for one another: the other goes on, whatever a thread waits with."""

from __future__ import annotations

import signal
import threading

import pytest

from mwe.batch import Batch
from mwe.isolation import MAX_HANGS, Isolation, run_batch
from mwe.schedules import Explore
from tests.subjects.programs import ProgramSubject, explore
from tests.subjects.waiting import PROGRAMS, TwoLocksSubject, make_subject

QUICK = Isolation(trial_timeout_s=10.0, join_timeout_s=0.2)


def run(subject, *, isolation=QUICK, max_trials=10**6, **options):
    """Run a batch of explorations in workers, and return it."""
    batch = Batch(
        defect="d", workload="w", role="workload", schedule="explore", target="simulator", seed=1
    )
    run_batch(lambda: subject, Explore(**options), batch, max_trials, isolation)
    return batch


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_other_goes_on_where_a_thread_waits(name):
    """Every schedule ends by itself, and comes to what the waiting is for."""
    explored = explore(make_subject(name), 1)
    assert explored.space.report().exhausted
    expected = "in out in out" if name in ("lock", "rlock") else "in out"
    assert explored.results == {expected: len(explored.plans)}


@pytest.mark.parametrize("n_switches", [1, 2])
def test_a_thread_that_waits_is_the_next_to_have_a_lock(n_switches):
    """Whoever lets go of it, and takes it again with nothing new between, does not come first.

    Once both want the lock, they take turns. If the system decided, results would vary.
    """
    order, lock = [], threading.Lock()

    def run(name):
        for _ in range(3):
            with lock:
                order.append(name)

    def set_up():
        order.clear()
        return (lambda: run("a")), (lambda: run("b"))

    explored = explore(ProgramSubject(set_up, lambda: "".join(order)), n_switches)
    assert set(explored.results) == {"aaabbb", "bbbaaa", "ababab", "bababa"}


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="nothing interrupts a lock here")
def test_a_deadlock_is_a_hang_and_the_exploration_goes_on():
    """Of the schedules with one switch those hang that switch between the two locks."""
    batch = run(TwoLocksSubject(), switches=1, max_idle_s=0.1, stops_at_failure=False)
    assert batch.failures_by_mode == {"hang": batch.failures}
    assert 1 <= batch.failures <= MAX_HANGS
    assert "threads wait, and nothing is left to wake them" in batch.details[0]
    assert batch.first_failure_schedule is not None
    assert batch.space["run"] == batch.trials


def test_a_deadlock_ends_a_batch_that_stops_at_failures():
    """The failing schedule is known, and no other process is asked."""
    batch = run(TwoLocksSubject(), max_idle_s=0.1)
    assert batch.failures_by_mode == {"hang": 1}
    assert batch.failing_trials == [batch.trials]
    assert batch.status == "complete"


def test_a_hang_that_does_not_come_again_is_none(tmp_path):
    """What kept the threads from going on may have been outside of them."""
    was_stuck = tmp_path / "was-stuck"

    def set_up():
        one, other = threading.Lock(), threading.Lock()

        def run(first, second):
            with first:
                if second.locked():
                    was_stuck.touch()
                with second:
                    pass

        turned = (one, other) if was_stuck.exists() else (other, one)
        return (lambda: run(one, other)), (lambda: run(*turned))

    batch = run(ProgramSubject(set_up, lambda: 1), switches=1, max_idle_s=0.1)
    assert was_stuck.exists()
    assert (batch.failures, batch.space["exhausted"], batch.status) == (0, True, "complete")
