"""The noise that the calibrations plant is what it says."""

from __future__ import annotations

import numpy as np
import pytest

from scripts.noise import BURST_FAILURES, DISPERSIONS, DRIFT, RANDOM_WALK, draw_bursts, draw_rates


@pytest.mark.parametrize(("noise", "dispersion"), DISPERSIONS.items())
def test_rates_have_their_mean_and_their_dispersion(noise, dispersion):
    """The variance of a Beta distribution is its dispersion times m (1 - m)."""
    rates = draw_rates(noise, 0.3, 200_000, np.random.default_rng(1))
    assert rates.mean() == pytest.approx(0.3, abs=0.003)
    assert rates.var() == pytest.approx(dispersion * 0.3 * 0.7, rel=0.03)


def test_odds_drift_tenfold():
    """From the first revision to the last, up or down."""
    rates = draw_rates(DRIFT, 0.3, 100, np.random.default_rng(1))
    odds = rates / (1 - rates)
    assert abs(np.log10(odds[-1] / odds[0])) == pytest.approx(1)


def test_a_walk_takes_steps_of_its_size():
    """They are those of the log odds."""
    rates = draw_rates(RANDOM_WALK, 0.5, 1000, np.random.default_rng(1), step=0.01)
    assert np.diff(np.log(rates / (1 - rates))).std() == pytest.approx(0.01, rel=0.1)


def test_without_noise_all_rates_are_alike_and_no_batch_has_a_burst():
    """Rates of 0 and 1 among them."""
    rng = np.random.default_rng(1)
    for rate in (0.0, 0.3, 1.0):
        assert set(draw_rates(None, rate, 9, rng)) == {rate}
    assert not draw_bursts(None, 9, rng).any()


def test_every_history_has_a_burst():
    """One at least, of five failures each."""
    for seed in range(20):
        bursts = draw_bursts("bursts", 30, np.random.default_rng(seed))
        assert set(bursts) == {0, BURST_FAILURES}
