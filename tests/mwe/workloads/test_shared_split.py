"""Threads that read what their neighbours wrote: kernels, oracle, and what an exploration finds."""

from __future__ import annotations

import numpy as np
import pytest

from mwe.targets import Target, prepare_target
from tests.mwe.workloads.exploring import (
    assert_never_fails,
    assert_right_in_order,
    assert_wrong_again,
    find_wrong_result,
)

prepare_target(Target.SIMULATOR)

from mwe.workloads.shared_split import subjects  # noqa: E402 (needs the simulator)
from mwe.workloads.shared_split.subjects import shared_split  # noqa: E402

WORKLOADS = (shared_split, subjects.shared_split_helper, subjects.shared_split_several)
CONTROLS = (subjects.shared_split_one_thread, subjects.shared_split_own_element)


class Kernel:
    """Stands for a kernel; what a launch is given is handed to a function."""

    def __init__(self, run):
        self.run = run

    def __getitem__(self, _grid):
        return self.run


def rotate(output, n_threads, first):
    """Write what a correct block does."""
    output[..., :n_threads] = first + np.roll(np.arange(n_threads), -1)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 5])
@pytest.mark.parametrize("make", [*WORKLOADS, subjects.shared_split_own_element])
def test_kernels_compute_what_the_oracle_expects(make, n_threads):
    """Threads that begin one after another get one array, however many they are."""
    assert_right_in_order(make, n_threads)


@pytest.mark.parametrize("make", WORKLOADS)
def test_an_exploration_splits_an_array(make):
    """Two threads read numbers that no neighbour wrote, and do so in each replay."""
    assert_wrong_again(make, find_wrong_result(make).exploration.schedule)


@pytest.mark.parametrize("make", CONTROLS)
def test_the_controls_never_fail(make):
    """One thread, or elements that nobody shares: a split changes nothing."""
    # One forced switch splits an array already; two take half a minute.
    assert_never_fails(make(2), switches=1)


@pytest.mark.parametrize("index", [0, 11])
def test_the_oracle_names_an_element_that_no_neighbour_wrote(index):
    """What happened to stand in an array of one's own is no neighbour's number."""

    def run(output, n_threads, first):
        rotate(output, n_threads, first)
        output[index] = 0

    subject = shared_split(12)
    assert f"output[{index}]" in subject.describe_mismatch(subject.launch(Kernel(run)))


def test_the_oracle_looks_at_each_array():
    """A neighbour's number that is wrong in the second array alone is found."""

    def run(output, n_threads, first):
        rotate(output, n_threads, first)
        output[1, 3] += 1

    subject = subjects.shared_split_several(12)
    assert "output[1, 3]" in subject.describe_mismatch(subject.launch(Kernel(run)))


def test_a_thread_that_should_have_returned_early_is_found():
    """The element behind the active threads' own stays zero."""

    def run(output, n_threads, first):
        rotate(output, n_threads, first)
        output[n_threads] = first

    subject = shared_split(2)
    assert "output[2]" in subject.describe_mismatch(subject.launch(Kernel(run)))


def test_numbers_of_an_earlier_launch_are_wrong():
    """New arrays lie where old ones did: the right numbers of the last launch are found out."""
    numbers = []

    def run_with_old_numbers(output, n_threads, first):
        numbers.append(first)
        rotate(output, n_threads, numbers[0])

    subject = shared_split(2)
    kernel = Kernel(run_with_old_numbers)
    assert subject.describe_mismatch(subject.launch(kernel)) == ""
    assert "2 elements differ" in subject.describe_mismatch(subject.launch(kernel))


def test_numbers_stay_exact_however_many_launches_there_are():
    """Numbers begin anew before float32 would round them, which it does from 2**24 on."""
    n_threads = 2**18
    subject = shared_split(n_threads)
    for _ in range(2**24 // n_threads + 2):
        assert subject.describe_mismatch(subject.launch(Kernel(rotate))) == ""
