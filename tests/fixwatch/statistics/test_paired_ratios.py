"""The ratio of two costs, against exact values and planted truth."""

from __future__ import annotations

import numpy as np
import pytest

from fixwatch.statistics.paired_ratios import Ratio, estimate_ratio


def test_the_interval_has_the_ranks_of_the_table():
    """For 15 ratios it is the 4th to the 12th: 0.965; the 5th to the 11th would be 0.882."""
    base = [2.0] * 15
    costs = [2.0 * rank for rank in range(15, 0, -1)]
    assert estimate_ratio(costs, base) == Ratio(8.0, 4.0, 12.0, 15)


def test_six_rounds_need_their_whole_range():
    """Its confidence is 1 - 2 / 2**6 = 0.969."""
    assert estimate_ratio([1, 2, 3, 4, 5, 6], [1] * 6) == Ratio(3.5, 1.0, 6.0, 6)


def test_a_machine_that_slows_down_changes_nothing():
    """Both costs of a round grow alike."""
    drift = np.linspace(1, 10, 15)
    assert estimate_ratio(1.25 * drift, drift) == Ratio(1.25, 1.25, 1.25, 15)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    """In at least 95 % of 2,000 runs with skewed noise; 93 % allows for three standard errors."""
    rng = np.random.default_rng(1)
    n_held = 0
    for _ in range(2000):
        base = 1 + rng.exponential(0.2, 15)
        costs = 1.3 * (1 + rng.exponential(0.2, 15))
        found = estimate_ratio(costs, base)
        n_held += found.low <= 1.3 <= found.high
    assert n_held / 2000 > 0.93


@pytest.mark.parametrize(
    ("costs", "base"), [([1.0] * 5, [1.0] * 5), ([1.0] * 6, [1.0] * 7), ([1.0] * 6, [0.0] * 6)]
)
def test_what_says_nothing_is_refused(costs, base):
    """Too few rounds, rounds that do not pair, and a cost of zero raise an error."""
    with pytest.raises(ValueError, match="do not make 6 rounds"):
        estimate_ratio(costs, base)
