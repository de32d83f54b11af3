"""Binomial intervals and predictive chances against exact values."""

from __future__ import annotations

import math

import pytest

from fixwatch.statistics.binomial import (
    Counts,
    chance_of_artefact,
    chance_of_silence,
    interval,
    upper_bound,
)


def test_the_interval_is_that_of_clopper_and_pearson():
    """0 of n has the closed form 1 - (alpha/2)^(1/n); 5 of 10 stands in every table."""
    low, high = interval(Counts(0, 100))
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 100), rel=1e-9)
    assert interval(Counts(5, 10)) == pytest.approx((0.1871, 0.8129), abs=1e-4)
    assert interval(Counts(100, 100))[1] == 1.0


def test_the_upper_bound_of_silence_is_the_rule_of_three():
    """It is 1 - 0.05^(1/n), about 3/n."""
    assert upper_bound(Counts(0, 300)) == pytest.approx(1 - 0.05 ** (1 / 300), rel=1e-9)
    assert upper_bound(Counts(7, 7)) == 1.0


def test_the_chance_of_silence_after_one_of_one():
    """With Beta(3/2, 1/2) it is P(0 of 1) = b/(a+b) = 1/4."""
    assert chance_of_silence(1, Counts(1, 1)) == pytest.approx(0.25)


def test_the_chance_of_silence_is_more_than_plug_in():
    """An estimated rate leaves more room than a known one: 9 of 10, then 10 silent trials."""
    product = math.prod((1.5 + i) / (11.0 + i) for i in range(10))
    assert chance_of_silence(10, Counts(9, 10)) == pytest.approx(product)
    assert product > 0.1**10


def test_the_chance_of_an_artefact():
    """A silent control makes one failure of one trial a chance of a/(a+b) = 0.5/(m+1)."""
    assert chance_of_artefact(Counts(1, 1), Counts(0, 49)) == pytest.approx(0.5 / 50)
    assert chance_of_artefact(Counts(0, 1), Counts(0, 49)) == pytest.approx(1.0)


@pytest.mark.parametrize(("failures", "trials"), [(0, 0), (-1, 5), (6, 5)])
def test_impossible_counts_are_refused(failures, trials):
    """Counts need a trial, and no more failures than trials."""
    with pytest.raises(ValueError, match="impossible counts"):
        Counts(failures, trials)
