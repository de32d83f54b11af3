"""The chance that a revision as affected as others stays silent."""

from __future__ import annotations

import pytest

from fixwatch.statistics.binomial import Counts, chance_of_silence
from fixwatch.statistics.noisy_counts import predict_silence


def test_a_single_revision_says_what_its_counts_do():
    """Nothing is known of how rates vary."""
    counts = Counts(7, 20)
    assert predict_silence(20, frozenset({(counts, 1)})) == chance_of_silence(20, counts)


def test_the_lowest_of_many_small_samples_does_not_speak_alone():
    """Of 175 revisions with a rate of one half some show 4 of 20, as 0.5 ** 20 C(20, 4) says."""
    others = {(Counts(n_failures, 20), 35) for n_failures in (8, 9, 10, 11, 12)}
    lowest = Counts(4, 20)
    assert chance_of_silence(20, lowest) > 0.03
    # A binomial of one half is silent with 1e-6.
    assert 1e-6 < predict_silence(20, frozenset({*others, (lowest, 1)})) < 1e-4


def test_rates_that_vary_leave_more_chance_than_their_mean():
    """Half of the revisions fail always and half hardly: the next one may be of the second half."""
    counts = frozenset({(Counts(20, 20), 5), (Counts(1, 20), 5)})
    alike = frozenset({(Counts(10, 20), 5), (Counts(11, 20), 5)})
    assert predict_silence(20, counts) > 100 * predict_silence(20, alike)


@pytest.mark.parametrize("n_trials", [1, 20, 300])
def test_more_trials_leave_less_chance(n_trials):
    """And there is some left however many there are."""
    counts = frozenset({(Counts(5, 20), 2)})
    assert 0 < predict_silence(2 * n_trials, counts) < predict_silence(n_trials, counts) < 1
