"""The calibration of searches reports missed bars."""

from __future__ import annotations

import pytest

from scripts.calibrate_pinpoint import GROUPS, NOISY_RATES, Result, tabulate, tabulate_noise
from scripts.noise import NOISES

GOOD = Result(is_right=True, is_wrong=False, n_builds=2, minutes=1.0, holds=True, set_size=1)


def test_searches_that_are_right_miss_no_bar():
    """Every group has a row."""
    rows, missed = tabulate([GOOD] * len(GROUPS))
    assert (len(rows), missed) == (len(GROUPS), [])


@pytest.mark.parametrize("change", [{"is_right": False}, {"n_builds": 17}])
def test_a_group_that_errs_or_builds_too_much_misses_its_bar(change):
    """The line names the group."""
    (line,) = tabulate([GOOD._replace(**change), *[GOOD] * (len(GROUPS) - 1)])[1]
    assert line.startswith("appeared, 0.9, 0 %")


def test_sets_that_do_not_hold_the_place_miss_a_bar():
    """They are stated with 99 %."""
    (line,) = tabulate([GOOD._replace(holds=False)] * len(GROUPS))[1]
    assert line == "stated 99 % sets hold the place in 0.00% of the histories"


def test_a_noisy_cell_with_wrong_answers_misses_its_bar():
    """Three of a hundred are too many, two are not."""
    n_cells = len(NOISES) * len(NOISY_RATES)
    wrong = GOOD._replace(is_right=False, is_wrong=True)
    for n_wrong, n_missed in ((2, 0), (3, 1)):
        first = [wrong] * n_wrong + [GOOD] * (100 - n_wrong)
        rows, missed = tabulate_noise([*first, *[GOOD] * 100 * (n_cells - 1)])
        assert (len(rows), len(missed)) == (n_cells, n_missed)
