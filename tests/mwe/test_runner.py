"""Trials in this process: oracles and joining. Each detector has a subject that it must catch."""

from __future__ import annotations

import threading

import pytest

from mwe.batch import Batch
from mwe.defects import Signature
from mwe.outcomes import FailureMode
from mwe.runner import iter_trials
from mwe.schedules import Natural
from mwe.workloads.subject import LaunchRefusedError
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


def run(subject, n_trials=4, **options):
    """Run trials under the natural schedule and return them."""
    return list(iter_trials(subject, Natural(), 1, range(1, n_trials + 1), **options))


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
    assert [trial.outcome.mode for trial in run(subject)] == [mode] * 4


def test_a_sound_subject_never_fails():
    """No oracle flags a subject without a fault."""
    assert not any(trial.outcome.failed for trial in run(SoundSubject()))


def test_a_leaked_global_is_put_back():
    """A leak of one trial does not mask what the next one does."""
    subject = LeakingSubject()
    run(subject, n_trials=1)
    assert subject.module.cuda is ORIGINAL


def test_threads_of_a_failed_launch_are_joined_before_the_next_trial():
    """After a trial no thread that it started is alive."""
    before = threading.active_count()
    (trial,) = run(AbandoningSubject(), n_trials=1)
    assert threading.active_count() == before
    assert trial.outcome.mode is FailureMode.EXCEPTION


def test_a_thread_that_does_not_end_is_a_hang_with_its_stack():
    """The trial is a hang, and the stacks say where the thread waits."""
    (trial,) = run(StuckSubject(), n_trials=1, join_timeout_s=0.05)
    assert trial.outcome.mode is FailureMode.HANG
    assert "1 threads did not end within 0.05 s" in trial.outcome.detail
    # The thread that hangs waits in sleep, called from the run method of threading's.
    assert f'{threading.__file__}", line' in trial.outcome.detail


def test_a_leak_is_noted_whatever_else_failed():
    """A trial that raises and leaks is both, so that nobody goes on in its process."""

    class LeakingAndRaising(RaisingSubject):
        def launch(self, kernel):
            self.module.cuda = "fake"
            raise self.error

    (trial,) = run(LeakingAndRaising(RACE), n_trials=1)
    assert trial.outcome.mode is FailureMode.MISSING_ATTRIBUTE
    assert trial.outcome.leaked


def test_a_launch_that_upstream_refuses_passes_and_is_counted():
    """A documented limit is no failure; the batch says how often it was met."""
    batch = Batch(
        defect="d", workload="w", role="workload", schedule="natural", target="simulator", seed=1
    )
    for trial in run(RaisingSubject(LaunchRefusedError("one launch at a time"))):
        assert (trial.outcome.failed, trial.has_signature) == (False, False)
        assert (trial.outcome.refused, trial.outcome.detail) == (True, "one launch at a time")
        batch.record(trial, elapsed_s=1.0)
    assert (batch.trials, batch.refusals, batch.failures) == (4, 4, 0)


def test_a_refused_launch_that_leaks_failed():
    """What it leaves behind is a fault, however politely it refused."""

    class LeakingAndRefusing(RaisingSubject):
        def launch(self, kernel):
            self.module.cuda = "fake"
            raise self.error

    (trial,) = run(LeakingAndRefusing(LaunchRefusedError("no")), n_trials=1)
    assert trial.outcome.mode is FailureMode.LEAKED_GLOBAL
    assert not trial.outcome.refused


def test_a_trial_says_whether_it_failed_in_the_way_that_is_looked_for():
    """Its batch counts these apart from other failures."""
    signature = Signature(modes=frozenset({FailureMode.MISSING_ATTRIBUTE}))
    for error, expected in ((RACE, True), (ValueError("no"), False)):
        (trial,) = run(RaisingSubject(error), n_trials=1, signature=signature)
        assert trial.has_signature is expected


@pytest.mark.parametrize("method", ["build_kernel", "describe_mismatch"])
def test_what_is_no_launch_is_no_outcome(method, monkeypatch):
    """A kernel that does not build, or an oracle that breaks, passes through as an error."""

    def fail(*_arguments):
        raise TypeError("unexpected argument")

    monkeypatch.setattr(SoundSubject, method, fail)
    with pytest.raises(TypeError):
        run(SoundSubject())


def test_half_of_the_trials_reuse_one_kernel():
    """Five trials build the reused kernel once and a fresh one for each odd trial."""
    subject = SoundSubject()
    kernels = [trial.kernel for trial in run(subject, n_trials=5)]
    assert kernels == ["fresh", "reused", "fresh", "reused", "fresh"]
    assert subject.n_built == 1 + 3
