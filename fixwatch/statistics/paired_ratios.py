"""The ratio of two costs that were measured in turns, with an interval that assumes no shape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

CONFIDENCE = 0.95
# With fewer rounds not even the whole range of the ratios is an interval of that confidence.
MIN_ROUNDS = 6


@dataclass(frozen=True)
class Ratio:
    """The median of the rounds' ratios of costs, with an interval of at least `CONFIDENCE`."""

    median: float
    low: float
    high: float
    n_rounds: int


def estimate_ratio(costs: Sequence[float], base_costs: Sequence[float]) -> Ratio:
    """Estimate how many times as much as a base something costs, from rounds that had both.

    What slows the machine for a while is in both costs of a round, and leaves their ratio alone.
    The interval lies between two of the sorted ratios r(1) <= ... <= r(n): of n rounds the number X
    below the true median is binomial with 1/2, so that with the d outermost left out on each side::

        P(r(d + 1) <= median <= r(n - d)) = 1 - 2 P(X <= d)

    and d is the largest for which that is at least `CONFIDENCE`. Source: Thompson, "On confidence
    ranges for the median", Annals of Mathematical Statistics 7(3), 1936.

    Raises
    ------
    ValueError
        If there are fewer than `MIN_ROUNDS` rounds, or a cost is not above 0.
    """
    a, b = np.asarray(costs, dtype=float), np.asarray(base_costs, dtype=float)
    if a.shape != b.shape or a.size < MIN_ROUNDS or (a <= 0).any() or (b <= 0).any():
        raise ValueError(f"{a.size} and {b.size} costs do not make {MIN_ROUNDS} rounds")
    ratios = np.sort(a / b)
    n = int(ratios.size)
    tails = 2 * scipy.special.bdtr(np.arange(n // 2), n, 0.5)
    n_outside = int(np.flatnonzero(tails <= 1 - CONFIDENCE)[-1])
    return Ratio(
        median=float(np.median(ratios)),
        low=float(ratios[n_outside]),
        high=float(ratios[n - 1 - n_outside]),
        n_rounds=n,
    )
