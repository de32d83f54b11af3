"""Atomics of different kinds on one element: kernels, oracle, and what an exploration finds."""

from __future__ import annotations

import itertools

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

from mwe.workloads.mixed_atomics import subjects  # noqa: E402 (needs the simulator)

WORKLOADS = (subjects.atomics_add_sub, subjects.atomics_add_max, subjects.atomics_add_inc)
CONTROLS = (
    subjects.atomics_one_kind,
    subjects.atomics_one_thread,
    subjects.atomics_different_elements,
)


@pytest.mark.parametrize("n_threads", [1, 2, 3, 5])
@pytest.mark.parametrize("make", [*WORKLOADS, *CONTROLS])
def test_kernels_compute_what_the_oracle_expects(make, n_threads):
    """Whichever thread is first, the operations come to the same."""
    assert_right_in_order(make, n_threads)


@pytest.mark.parametrize("make", WORKLOADS)
def test_an_exploration_loses_an_update(make):
    """Two kinds take no notice of each other, and do so in each replay."""
    assert_wrong_again(make, find_wrong_result(make).exploration.schedule)


@pytest.mark.parametrize("make", CONTROLS)
def test_the_controls_never_fail(make):
    """One kind has one lock; different elements need none."""
    assert_never_fails(make(2))


@pytest.mark.parametrize("n_threads", [2, 5, 12])
@pytest.mark.parametrize(
    ("make", "added", "taken"),
    [
        (subjects.atomics_add_sub, lambda n: n, -1),
        (subjects.atomics_add_inc, lambda n: n, 1),
    ],
)
def test_lost_updates_never_cancel_out(make, added, taken, n_threads):
    """Of all ways to lose some of the updates, none comes to the right number."""
    subject = make(n_threads)
    n_first, n_second = subjects.count_kinds(n_threads)
    accepted = [
        (n_adds, n_others)
        for n_adds, n_others in itertools.product(range(n_first + 1), range(n_second + 1))
        if not subject.describe_mismatch(np.array([n_adds * added(n_threads) + n_others * taken]))
    ]
    assert accepted == [(n_first, n_second)]


def test_a_lost_addition_shows_beside_a_maximum():
    """The maximum changes nothing, so that each addition is seen."""
    subject = subjects.atomics_add_max(12)
    accepted = [n for n in range(-1, 8) if not subject.describe_mismatch(np.array([n]))]
    assert accepted == [6]
