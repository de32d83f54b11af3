"""The noise that the calibrations plant: rates that vary between revisions, and bursts."""

from __future__ import annotations

import numpy as np

# By name. Over-dispersion is the correlation of two trials of one revision.
DISPERSIONS = {f"over-dispersion {value:g}": value for value in (0.01, 0.05, 0.2)}
# The odds of a failure rise or fall tenfold along the history.
DRIFT = "drift"
# The log odds go on from revision to revision, by steps with a standard deviation of `STEP`.
RANDOM_WALK = "random walk"
# One batch in a hundred, and one at least, has five failures more, also where upstream is clean.
BURSTS = "bursts"
NOISES = (*DISPERSIONS, DRIFT, RANDOM_WALK, BURSTS)

FOLD = 10.0
STEP = 0.15
BURST_RATE = 0.01
BURST_FAILURES = 5


def draw_rates(
    noise: str | None, rate: float, length: int, rng: np.random.Generator, step: float = STEP
) -> np.ndarray:
    """Return the rate of each revision, if it is affected; without noise, the same for all."""
    if noise in DISPERSIONS:
        spread = 1 / DISPERSIONS[noise] - 1
        return rng.beta(rate * spread, (1 - rate) * spread, size=length)
    log_odds = np.full(length, np.log(rate) - np.log1p(-rate) if 0 < rate < 1 else 0.0)
    if noise == DRIFT:
        log_odds += rng.choice([-1, 1]) * np.log(FOLD) * np.linspace(0, 1, length)
    elif noise == RANDOM_WALK:
        log_odds += np.cumsum(rng.normal(0, step, length))
    else:
        return np.full(length, rate)
    return 1 / (1 + np.exp(-log_odds))


def draw_bursts(noise: str | None, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return how many failures more each revision's first batch has."""
    if noise != BURSTS:
        return np.zeros(length, dtype=int)
    is_hit = rng.random(length) < BURST_RATE
    is_hit[rng.integers(length)] = True
    return BURST_FAILURES * is_hit
