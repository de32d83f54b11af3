"""The planted simulator, which takes a launch during another for a call of a device function."""

from __future__ import annotations

from mwe.outcomes import FailureMode
from mwe.runner import iter_trials
from mwe.schedules import Natural
from mwe.workloads.planted_host_launch.subjects import planted_host_launch, sound_host_launch


def run(subject):
    """Return 20 trials in this process."""
    return list(iter_trials(subject, Natural(), 1, range(1, 21)))


def test_the_planted_fault_shows_under_the_natural_schedule():
    """One launch counts one thread instead of all."""
    # Floor p >= 0.5 a trial, measured 200 of 200: P(all 20 pass) <= 2**-20.
    failed = [trial for trial in run(planted_host_launch()) if trial.outcome.failed]
    assert {trial.outcome.mode for trial in failed} == {FailureMode.WRONG_RESULT}
    assert "left [1], expected [12]" in failed[0].outcome.detail


def test_a_lock_around_the_launch_mends_it():
    """The sound twin never fails."""
    trials = run(sound_host_launch())
    assert len(trials) == 20
    assert not any(trial.outcome.failed for trial in trials)
