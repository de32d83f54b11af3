"""The batch runner: oracles, joining, counting. Each detector has a subject that it must catch."""

from __future__ import annotations

import threading
import time

import pytest

from mwe.batch import Batch
from mwe.outcomes import FailureMode
from mwe.runner import run_batch, run_trial
from mwe.schedules import DelayInjection, Natural
from mwe.workloads import find_workload
from tests.subjects.planted import (
    ORIGINAL,
    AbandoningSubject,
    LeakingSubject,
    RaisingSubject,
    SoundSubject,
    StuckSubject,
    WrongResultSubject,
)

RACE = AttributeError("tid=[0, 0, 0] ctaid=[0, 0, 0]: module 'numba.cuda' has no attribute 'local'")
EARLY = AttributeError(
    "tid=[1, 0, 0] ctaid=[0, 0, 0]: module 'numba.cuda' has no attribute 'local'"
)


def new_batch(seed=1):
    """Return an empty batch."""
    return Batch(workload="w", role="workload", schedule="s", target="simulator", seed=seed)


def run(subject, n_trials=4, **options):
    """Run a batch under the natural schedule and return it."""
    batch = new_batch()
    run_batch(subject, Natural(), batch, n_trials, **options)
    return batch


@pytest.mark.parametrize(
    ("subject", "mode"),
    [
        (WrongResultSubject(), FailureMode.WRONG_RESULT),
        (LeakingSubject(), FailureMode.LEAKED_GLOBAL),
        (RaisingSubject(RACE), FailureMode.MISSING_ATTRIBUTE),
        (RaisingSubject(ValueError("no")), FailureMode.EXCEPTION),
    ],
)
def test_every_planted_fault_is_caught_in_each_trial(subject, mode):
    """A fault that strikes always fails every trial, in its own mode."""
    batch = run(subject)
    assert batch.failures_by_mode == {mode.value: 4}
    assert batch.failing_trials == [1, 2, 3, 4]


def test_a_sound_subject_never_fails():
    """No oracle flags a subject without a fault."""
    batch = run(SoundSubject())
    assert (batch.trials, batch.failures, batch.first_failure_trial) == (4, 0, None)


def test_a_leaked_global_is_put_back():
    """A leak of one trial does not mask what the next one does."""
    subject = LeakingSubject()
    run(subject, n_trials=1)
    assert subject.module.cuda is ORIGINAL


def test_threads_of_a_failed_launch_are_joined_before_the_next_trial():
    """After a trial no thread that it started is alive."""
    before = threading.active_count()
    outcome = run_trial(AbandoningSubject(), Natural(), None, "1/1")
    assert threading.active_count() == before
    assert outcome.mode is FailureMode.EXCEPTION


def test_a_thread_that_does_not_end_is_a_hang_and_stops_the_batch():
    """Later trials beside a running thread would be unsound, so there are none."""
    batch = run(StuckSubject(), n_trials=4, join_timeout_s=0.05)
    assert batch.failures_by_mode == {"hang": 1}
    assert batch.trials == 1
    assert batch.status.startswith("stopped after trial 1 of 4")


def test_half_of_the_trials_reuse_one_kernel():
    """Five trials build the reused kernel once and a fresh one for each odd trial."""
    subject = SoundSubject()
    batch = run(subject, n_trials=5)
    assert subject.n_built == 1 + 3
    assert batch.trials_by_kernel == {"fresh": 3, "reused": 2}


def test_early_return_failures_are_counted_by_thread_index():
    """A failing thread at or above n_threads should have returned early."""
    assert run(RaisingSubject(EARLY)).early_return_failures == 4
    assert run(RaisingSubject(RACE)).early_return_failures == 0


def test_early_return_failures_are_unknown_when_a_thread_is():
    """A failure without its thread makes the count unknown, not zero."""
    assert run(RaisingSubject(ValueError("no prefix"))).early_return_failures is None


def test_the_planted_race_fails_under_delay():
    """The positive control fails: the schedule bites."""
    # Measured 0.88 a trial and more; with p >= 0.5, P(all 40 pass) <= 2**-40.
    batch = new_batch()
    run_batch(find_workload("planted-race").load(), DelayInjection(), batch, 40)
    assert batch.failures_by_mode["missing-attribute"] > 0
    assert batch.attributes.keys() == {"local"}
    assert batch.early_return_failures == 0


@pytest.mark.parametrize("workload", ["same-module", "helper-without-cuda", "one-thread"])
def test_negative_controls_never_fail_under_delay(workload):
    """What cannot race does not fail, on whichever numba is installed."""
    batch = new_batch()
    run_batch(find_workload(workload).load(), DelayInjection(), batch, 100)
    assert (batch.trials, batch.failures) == (100, 0)


def test_progress_is_reported_after_each_trial():
    """The report sees every trial once."""
    seen = []
    run(SoundSubject(), n_trials=3, report_progress=lambda batch: seen.append(batch.trials))
    assert seen == [1, 2, 3]


def test_first_failure_is_the_first_not_the_last():
    """Its number is 1-based, its time is that of the first failing trial."""
    started_s = time.perf_counter()
    batch = run(RaisingSubject(RACE), n_trials=3)
    assert batch.first_failure_trial == 1
    assert 0 <= batch.first_failure_s <= time.perf_counter() - started_s
    assert batch.first_failure_s <= batch.duration_s
