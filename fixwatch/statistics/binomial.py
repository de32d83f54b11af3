"""Exact binomial intervals and the predictive chance of a count."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

# Its parts load at their first use: scipy.special takes half a second, scipy.stats, which has all
# of these, twice as long, and most commands need neither.
import scipy
from numpy.typing import NDArray

Floats = NDArray[np.float64]

INTERVAL_CONFIDENCE = 0.95
# Jeffreys' prior of a rate: Beta(1/2, 1/2).
_PRIOR = 0.5


@dataclass(frozen=True)
class Counts:
    """Failures among trials that share a rate; counts that are impossible are a `ValueError`."""

    n_failures: int
    n_trials: int

    def __post_init__(self) -> None:
        if not (self.n_trials >= 1 and 0 <= self.n_failures <= self.n_trials):
            raise ValueError(f"impossible counts: {self.n_failures} of {self.n_trials}")


def pool_counts(counts: Iterable[Counts]) -> Counts | None:
    """Return the counts of several batches together; None where there is none."""
    pooled = list(counts)
    if not pooled:
        return None
    return Counts(sum(c.n_failures for c in pooled), sum(c.n_trials for c in pooled))


@functools.cache
def interval(counts: Counts) -> tuple[float, float]:
    """Return the exact two-sided 95 % confidence interval of the rate.

    With k failures of n trials and I(x; a, b) the distribution function of Beta(a, b)::

        I(low; k, n - k + 1) = 0.025        low = 0 if k = 0
        I(high; k + 1, n - k) = 0.975       high = 1 if k = n

    Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case
    of the binomial", Biometrika 26(4), 1934.
    """
    k, n, tail = counts.n_failures, counts.n_trials, (1 - INTERVAL_CONFIDENCE) / 2
    low = 0.0 if k == 0 else float(scipy.special.betaincinv(k, n - k + 1, tail))
    return low, upper_bound(counts, 1 - tail)


def upper_bound(counts: Counts, confidence: float = INTERVAL_CONFIDENCE) -> float:
    """Return the exact one-sided upper confidence bound of the rate.

    As `interval`, with ``I(bound; k + 1, n - k) = confidence``; for k = 0 it is
    ``1 - (1 - confidence) ** (1 / n)``.
    """
    k, n = counts.n_failures, counts.n_trials
    return 1.0 if k == n else float(scipy.special.betaincinv(k + 1, n - k, confidence))


@functools.cache
def chance_of_silence(n_trials: int, affected: Counts) -> float:
    """Return the chance that a revision as affected as another shows no failure in `n_trials`.

    The rate is not known but estimated from the other's k failures of n trials, so this is the
    Beta-binomial predictive probability of 0, with Jeffreys' prior a = k + 1/2, b = n - k + 1/2::

        P(0 of m) = B(a, b + m) / B(a, b)

    which is larger than ``(1 - k/n) ** m``.
    """
    return float(np.exp(_posterior(affected).weigh(0, n_trials)))


@functools.cache
def chance_of_artefact(counts: Counts, control: Counts) -> float:
    """Return the chance of at least so many failures at the rate of a negative control.

    The Beta-binomial predictive tail, with a and b from the control's counts as in
    `chance_of_silence`, for k failures of n trials::

        P(at least k of n) = sum over j = k .. n of C(n, j) B(a + j, b + n - j) / B(a, b)
    """
    n = counts.n_trials
    j = np.arange(counts.n_failures, n + 1)
    return min(1.0, float(np.exp(log_binomial(n, j) + _posterior(control).weigh(j, n)).sum()))


@dataclass(frozen=True)
class RatePrior:
    """A Beta distribution of a rate."""

    a: Any
    b: Any

    def weigh(self, k: Any, n: Any) -> Any:
        """Return the logarithm of the probability of k certain failures among n trials."""
        counted = scipy.special.betaln(self.a + k, self.b + n - k)
        return counted - scipy.special.betaln(self.a, self.b)


def _posterior(counts: Counts) -> RatePrior:
    k, n = counts.n_failures, counts.n_trials
    return RatePrior(k + _PRIOR, n - k + _PRIOR)


def log_binomial(n: int, k: Any) -> Any:
    """Return the logarithm of the number of ways to choose k of n."""
    return (
        scipy.special.gammaln(n + 1)
        - scipy.special.gammaln(k + 1)
        - scipy.special.gammaln(n - k + 1)
    )
