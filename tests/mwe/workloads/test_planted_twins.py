"""Twins without upstream code: the planted ones fail, the sound ones never do."""

from __future__ import annotations

import pytest

from mwe.outcomes import FailureMode
from mwe.runner import iter_trials
from mwe.schedules import SCHEDULES
from mwe.workloads.planted_atomics.subjects import planted_atomics, sound_atomics
from mwe.workloads.planted_race.subjects import sound_swap
from mwe.workloads.planted_split.subjects import planted_split, sound_split
from tests.mwe.workloads.exploring import (
    assert_never_fails,
    assert_right_in_order,
    assert_wrong_again,
    explore,
    find_wrong_result,
)

PLANTED = (planted_split, planted_atomics)
SOUND = (sound_split, sound_atomics, sound_swap)


@pytest.mark.parametrize("make", PLANTED)
def test_a_planted_twin_fails_under_explore(make):
    """A wrong result is found within the whole space, and again in each replay."""
    assert_wrong_again(make, find_wrong_result(make).exploration.schedule)


@pytest.mark.parametrize("make", PLANTED)
def test_a_planted_twin_has_no_other_failure(make):
    """Neither the barrier nor the locks add a hang or an error of their own."""
    modes = {trial.outcome.mode for trial in explore(make(2))}
    assert modes == {None, FailureMode.WRONG_RESULT}


@pytest.mark.parametrize("make", SOUND)
def test_a_sound_twin_never_fails_under_explore(make):
    """Its whole space is run."""
    assert_never_fails(make(2))


@pytest.mark.parametrize("name", ["delay", "natural"])
@pytest.mark.parametrize("make", SOUND)
def test_a_sound_twin_never_fails_under_other_schedules(make, name):
    """As many threads as a launch has otherwise pass as well."""
    trials = list(iter_trials(make(), SCHEDULES[name], 1, range(1, 101)))
    assert [trial.outcome.detail for trial in trials] == [""] * 100


@pytest.mark.parametrize("n_threads", [1, 2, 3, 5])
@pytest.mark.parametrize("make", [*PLANTED, *SOUND])
def test_twins_compute_what_the_oracle_expects(make, n_threads):
    """Threads that run one after another are right, however many they are."""
    assert_right_in_order(make, n_threads)


@pytest.mark.parametrize("make", [*PLANTED, *SOUND])
def test_the_oracle_names_what_it_expects(make):
    """A block that wrote nothing is wrong."""
    subject = make(3)
    nothing = subject.launch(lambda: lambda output, i: None)
    assert subject.describe_mismatch(nothing).startswith("output is [0.0")


def test_an_error_of_a_thread_is_raised_with_its_index():
    """The launch joins all threads, and names the one that failed as the simulator does."""

    def fail(_output, i):
        if i == 1:
            raise AttributeError("module 'numba.cuda' has no attribute 'local'")

    with pytest.raises(AttributeError, match=r"^tid=\[1, 0, 0\] ctaid=\[0, 0, 0\]: module"):
        sound_swap(2).launch(lambda: fail)
