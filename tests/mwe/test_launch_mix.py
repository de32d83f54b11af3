"""Launches in varied shapes: what is drawn, and that each of them is launched and judged."""

from __future__ import annotations

import threading

import pytest

from mwe.outcomes import FailureMode
from mwe.runner import run_trial
from mwe.schedules import LaunchMix
from mwe.workloads.subject import GuardedOutput, LaunchShape
from tests.subjects.planted import SoundSubject

# Static shared memory of a block, the limit of every device.
MAX_SHARED_BYTES = 48 * 1024


def draw(trial_seed):
    """Return the launches of a trial."""
    with LaunchMix().open(()) as pace, pace(trial_seed) as shapes:
        return shapes


def test_the_seed_fixes_the_launches():
    """The same trial gets the same launches; others get others."""
    assert draw("1/1") == draw("1/1")
    assert len({tuple(draw(f"1/{number}")) for number in range(100)}) > 90


def test_a_hundred_trials_have_every_kind_of_launch():
    """Every block size, occupancy, kind of stream and number of launches occurs among them."""
    # The rarest, one block size of 8 in about 250 launches, misses with (7/8)**200 < 1e-11.
    schedule = LaunchMix()
    trials = [draw(f"7/{number}") for number in range(100)]
    shapes = [shape for trial in trials for shape in trial]
    assert {len(trial) for trial in trials} == set(range(1, schedule.max_launches + 1))
    assert {shape.threads_per_block for shape in shapes} == set(schedule.block_sizes)
    assert {shape.n_extra_blocks for shape in shapes} == set(schedule.extra_blocks)
    assert {shape.uses_own_stream for shape in shapes} == {True, False}


@pytest.mark.parametrize(("threads", "extra", "blocks"), [(7, 0, 2), (12, 0, 1), (5, 3, 6)])
def test_a_shape_covers_all_threads(threads, extra, blocks):
    """Twelve threads get as many blocks as they need, and the extra blocks on top."""
    shape = LaunchShape(threads_per_block=threads, n_extra_blocks=extra, uses_own_stream=False)
    assert shape.find_n_blocks(12) == blocks


def test_the_largest_workload_fits_into_a_block_of_shared_memory():
    """A registry's shared buffers and guards, for each thread of the schedule, fit into 48 KiB."""
    from mwe.workloads.registry import kernels, subjects

    for make in (subjects.registry_shared, subjects.registry_mixed, subjects.registry_persistent):
        subject = make(LaunchMix().n_active_threads)
        n_shared, _ = subject.lay_out()
        n_bytes = (n_shared + kernels.N_GUARDS) * 4 * subject.threads_per_block
        assert n_bytes <= MAX_SHARED_BYTES


class MeetingSubject(SoundSubject):
    """Launches that wait for each other: alone, none would return."""

    def __init__(self, n_launches, outputs=None):
        super().__init__()
        self.meeting = threading.Barrier(n_launches, timeout=10)
        self.outputs = list(outputs or [1] * n_launches)

    def launch(self, kernel, shape=None):
        """Meet the others, and return the next output."""
        assert shape is not None
        self.meeting.wait()
        return self.outputs.pop()


def run(subject, n_launches):
    """Run the first trial that has so many launches."""
    with LaunchMix().open(()) as pace:
        number = next(n for n in range(1000) if len(draw(f"1/{n}")) == n_launches)
        return run_trial(subject, pace, None, f"1/{number}")


def test_launches_of_a_trial_are_in_flight_at_the_same_time():
    """Each launch has a host thread of its own, so that all of them can wait for one another."""
    assert not run(MeetingSubject(4), 4).failed


@pytest.mark.parametrize("place", range(3))
def test_every_launch_of_a_trial_is_judged(place):
    """One wrong output of three is a wrong result, whichever it is."""
    outputs = [1, 1, 1]
    outputs[place] = 2
    assert run(MeetingSubject(3, outputs), 3).mode is FailureMode.WRONG_RESULT


def test_a_written_guard_is_a_wrong_result_even_if_the_output_is_right():
    """The trial fails as a wrong result, and its detail is what the guard shows."""
    outcome = run(MeetingSubject(1, [GuardedOutput(1, "out of bounds: element 10")]), 1)
    assert outcome.mode is FailureMode.WRONG_RESULT
    assert outcome.detail == "out of bounds: element 10"


def test_a_launch_that_raises_is_the_outcome_of_the_trial():
    """One exception makes the trial fail, whatever the other launches returned."""

    class Raising(MeetingSubject):
        def launch(self, kernel, shape=None):
            if super().launch(kernel, shape) == 2:
                raise RuntimeError("[700] Call to cuStreamSynchronize failed")
            return 1

    outcome = run(Raising(3, [1, 2, 1]), 3)
    assert outcome.mode is FailureMode.EXCEPTION
    assert "cuStreamSynchronize" in outcome.detail
