"""Explorations as batches: workers that are replaced or die, limits, and what is counted."""

from __future__ import annotations

import os
import pickle
import threading

from mwe.batch import Batch
from mwe.defects import ANY_FAILURE, Signature
from mwe.isolation import Isolation, run_batch
from mwe.outcomes import FailureMode
from mwe.runner import iter_trials
from mwe.schedules import Explore
from tests.subjects.programs import make_notes

QUICK = Isolation(trial_timeout_s=10.0, join_timeout_s=0.2)
WRONG_RESULT = Signature(modes=frozenset({FailureMode.WRONG_RESULT}))
# Orders of 3 and 3 marks, with as many switches as are needed for all.
N_ORDERS, ENOUGH = 20, 4


def run(subject, signature=ANY_FAILURE, **options):
    """Run an exploration in workers, and return its batch."""
    batch = Batch(
        defect="d", workload="w", role="workload", schedule="explore", target="simulator", seed=1
    )
    run_batch(lambda: subject, Explore(**options), batch, 10**6, QUICK, signature=signature)
    return batch


def fail_unless_a_is_first(order):
    """Return the order; b1 is first in half of them."""
    if order.startswith("b1"):
        raise RuntimeError("b1 was first")
    return order


def refuse(order):
    """Fail whatever the order is."""
    raise RuntimeError("refused")


def exit_if_b_is_first(order):
    """End the process in half of the orders."""
    if order.startswith("b1"):
        os._exit(7)
    return order


def test_all_failing_schedules_are_counted_in_fresh_workers():
    """Each failure costs a worker, and no schedule is lost or run twice: 10 of 20 fail."""
    batch = run(
        make_notes(3, 3, end=fail_unless_a_is_first), switches=ENOUGH, stops_at_failure=False
    )
    assert batch.status == "complete"
    assert batch.space["exhausted"]
    assert batch.trials == batch.space["run"] == batch.space["schedules"] == N_ORDERS
    assert batch.failures_by_mode == {"exception": N_ORDERS // 2}


def test_a_batch_stops_at_the_first_failure():
    """It says so by its space, which was not run to the end."""
    batch = run(make_notes(3, 3, end=refuse), switches=ENOUGH)
    assert (batch.trials, batch.failures, batch.space["exhausted"]) == (1, 1, False)
    assert batch.first_failure_schedule in ("0", "1")


def test_a_batch_goes_on_past_failures_that_are_not_looked_for():
    """They are counted, each in its place, and the space is run to its end."""
    batch = run(make_notes(3, 3, end=fail_unless_a_is_first), WRONG_RESULT, switches=ENOUGH)
    assert (batch.trials, batch.failures, batch.signature_failures) == (N_ORDERS, N_ORDERS // 2, 0)
    assert batch.space["exhausted"]


def test_the_schedule_that_a_batch_names_is_one_that_is_looked_for():
    """It stops there, and replays it, whatever failed otherwise before."""
    program = make_notes(3, 3, end=fail_unless_a_is_first)
    program.expected = "a1 a2 a3 b1 b2 b3"
    batch = run(program, WRONG_RESULT, switches=ENOUGH)
    assert (batch.signature_failures, batch.failures_by_mode["wrong-result"]) == (1, 1)
    assert batch.first_failure_trial == batch.trials == batch.failing_trials[-1]
    replayed = run(
        make_notes(3, 3, end=fail_unless_a_is_first), replay=batch.first_failure_schedule
    )
    assert (replayed.trials, replayed.failures) == (1, 0)


def test_a_worker_that_dies_stops_the_batch_which_says_so():
    """The schedules that are left died with it."""
    batch = run(make_notes(3, 3, end=exit_if_b_is_first), switches=ENOUGH, stops_at_failure=False)
    assert batch.failures_by_mode == {"crash": 1}
    assert batch.status.endswith("the process ended that knew which schedules are left")


def test_the_time_limit_counts_from_the_first_worker_on():
    """What passes between two workers counts, too."""
    schedule = Explore(limit_s=60.0)
    with schedule.open(()):
        pass
    handed_over = pickle.loads(pickle.dumps(schedule))  # noqa: S301 (made here)
    began_s = schedule._began_s
    with handed_over.open(()):
        pass
    assert handed_over._began_s == began_s is not None


def test_the_time_limit_is_one_for_all_workers():
    """Each schedule fails and costs a worker; these do not begin to count anew."""
    # Of 8 and 8 points there are 2 + 14 + 98 schedules, and no process starts in a microsecond.
    batch = run(make_notes(8, 8, end=refuse), limit_s=1e-6, stops_at_failure=False)
    assert batch.trials == 1
    batch = run(make_notes(8, 8, end=refuse), limit_s=0.1, stops_at_failure=False)
    assert 1 <= batch.space["run"] == batch.trials < 2 + 14 + 98
    assert not batch.space["exhausted"]


def test_an_exploration_that_is_closed_goes_on_where_it_stopped():
    """Closing is what a worker does behind a failure that may have damaged its state."""
    schedule = Explore(switches=ENOUGH)
    seen = []
    while len(seen) < N_ORDERS:
        trials = iter_trials(make_notes(3, 3), schedule, 1, range(1, 100))
        seen += [trial.exploration for _, trial in zip(range(7), trials, strict=False)]
        trials.close()
    assert len({exploration.schedule for exploration in seen}) == len(seen) == N_ORDERS
    assert seen[-1].space.exhausted


def test_nothing_of_the_interpreter_is_left_changed(monkeypatch):
    """Trace functions, collections and the switch interval are what they were, and files closed."""
    import gc
    import signal
    import sys

    def trace(_frame, _event, _arg):
        return None

    def find_state():
        return (
            threading.gettrace(),
            sys.getswitchinterval(),
            gc.isenabled(),
            hasattr(signal, "SIGALRM") and signal.getsignal(signal.SIGALRM),
        )

    before = find_state()
    files = len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0
    previous = sys.gettrace()
    sys.settrace(trace)
    try:
        trials = list(iter_trials(make_notes(3, 3), Explore(), 1, range(1, 100)))
        assert sys.gettrace() is trace
    finally:
        sys.settrace(previous)
    assert trials[-1].exploration.is_last
    assert find_state() == before
    if files:
        assert len(os.listdir("/proc/self/fd")) == files
