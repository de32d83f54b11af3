"""What counts are likely of a clean and of an affected revision, where machines are noisy.

Of an affected revision every schedule has a rate, which is not the same in each: a machine's load
moves it. The rate of a revision is drawn around a mean m with an over-dispersion d, the correlation
of two trials of one revision, so that k certain failures of n trials have the Beta-binomial
probability ::

    P(k of n) = B(a + k, b + n - k) / B(a, b)        a = m (1/d - 1), b = (1 - m)(1/d - 1)

The mean is unknown, with Jeffreys' prior, and lies on a grid of log odds. The noise is one of
`NOISES`. Source: Skellam, "A probability distribution derived from the binomial
distribution by regarding the probability of success as variable between the sets of trials",
Journal of the Royal Statistical Society B 10(2), 1948.

Of a clean revision a failure is an artefact. Artefacts come alone, at a rate of one in ten thousand
trials, or in bursts: one batch in 300 is contaminated, and of its trials one in twelve fails on
average.

An exploration of a whole space is one trial without a rate, and without noise. The defect is
visible to explorations, which then fail, or lies outside of their bounds.

A decisive trial comes out the same each time, and shows every defect: it failed, so the revision is
affected, or passed, so it is not. What is left for the contrary is a record that is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from fixwatch.statistics.binomial import Counts, Floats, RatePrior, chance_of_silence

Bools = NDArray[np.bool_]


class TrialKind(Enum):
    """What a trial says of its revision."""

    SAMPLED = "sampled"  # an affected revision fails at a rate
    EXPLORED = "explored"  # a whole space: an affected revision fails unless its bounds hide it
    DECISIVE = "decisive"  # an affected revision fails, another one passes


Kinds = Sequence[TrialKind]


@dataclass(frozen=True, kw_only=True)
class Noise:
    """How the rate of affected revisions varies."""

    probability: float  # beforehand; that of all is 1
    dispersion: float  # the correlation of two trials of one revision, in (0, 1)
    # The chance that the mean goes to either neighbour on the grid from one revision to the next:
    # a random walk of the log odds with a standard deviation of `_STEP` * sqrt(2 * chance).
    move_chance: float


# What noise to expect: the committed results have a dispersion of 0.009 at most. Much noise has
# little weight, but enough for a few revisions to show it.
NOISES = (
    Noise(probability=0.3, dispersion=0.001, move_chance=0.05),
    Noise(probability=0.25, dispersion=0.01, move_chance=0.05),
    Noise(probability=0.2, dispersion=0.05, move_chance=0.05),
    Noise(probability=0.05, dispersion=0.2, move_chance=0.05),
    Noise(probability=0.2, dispersion=0.01, move_chance=0.4),
)
# The mean rates of affected revisions: log odds from -8 to 8, that is 0.0003 to 0.9997.
_STEP = 0.5
_LOG_ODDS = np.arange(-8.0, 8.0 + _STEP, _STEP)
MEANS = 1 / (1 + np.exp(-_LOG_ODDS))

# Artefacts one by one. The negative controls have not failed in hundreds of thousands of trials.
_ARTEFACTS = RatePrior(0.02, 200.0)
# A batch in which something else went wrong, and how often its trials fail then.
BURST_CHANCE = 1 / 300
_BURST = RatePrior(1.0, 11.0)
# A schedule is planned and can be run again, so that hardly any exploration shows what it should
# not: of 100 plans of planted variants 100 showed them (`make sensitivity`), Jeffreys' prior has
# half a percent for the next.
EXPLORATION_MISS = 0.005
# A defect of which the bounds of the explorations leave out every failing schedule: none of the 13
# planted variants is one, and Jeffreys' prior has 4 % for the next.
OUT_OF_BOUNDS = 0.04
# A decisive trial on the wrong side. Less than any evidence of another kind, and not 0, so that
# records which contradict one another still have odds.
CONTRADICTION = 1e-30


def weigh_clean(k: Floats, n: Floats, kinds: Kinds) -> Floats:
    """Return the logarithm of the probability of counts, by revision and column, if clean.

    A column is a schedule, whose trials are of a kind; of those that are explored n is 0 or 1.
    Without the binomial coefficients, here and in `weigh_affected`, which are the same whatever a
    revision is.
    """
    single = _ARTEFACTS.weigh(k, n)
    burst = np.log(BURST_CHANCE) + _BURST.weigh(k, n)
    any_of_both = np.logaddexp(np.log1p(-BURST_CHANCE) + single, burst)
    weights: Floats = np.where(is_kind(kinds, TrialKind.EXPLORED), single, any_of_both)
    decided = k * np.log(CONTRADICTION)
    return np.where(is_kind(kinds, TrialKind.DECISIVE), decided, weights)


def is_kind(kinds: Kinds, kind: TrialKind) -> Bools:
    """Return of each column whether its trials are of a kind."""
    return np.array([own is kind for own in kinds], dtype=bool)


def weigh_affected(k: Floats, n: Floats, kinds: Kinds) -> Floats:
    """Return the same if affected, of shape (revisions, noises, columns, means)."""
    weights = np.empty((len(k), len(NOISES), len(kinds), len(MEANS)))
    for column, kind in enumerate(kinds):
        weigh = _WEIGH[kind]
        for row, counts in enumerate(
            zip(k[:, column].tolist(), n[:, column].tolist(), strict=True)
        ):
            weights[row, :, column] = weigh(*counts)
    return weights


# Few counts of a history differ, and a search asks for the same ones again.
@lru_cache(maxsize=50_000)
def _weigh_trials(k: float, n: float) -> Floats:
    spread = np.array([1 / noise.dispersion - 1 for noise in NOISES])[:, None]
    weights: Floats = RatePrior(MEANS * spread, (1 - MEANS) * spread).weigh(k, n)
    return weights


@lru_cache
def _weigh_exploration(k: float, n: float) -> Floats:
    visible = np.where(_LOG_ODDS > 0, 1 - EXPLORATION_MISS, EXPLORATION_MISS)
    weights = k * np.log(visible) + (n - k) * np.log1p(-visible)
    return np.broadcast_to(weights, (len(NOISES), len(MEANS)))


@lru_cache
def _weigh_decisive(k: float, n: float) -> Floats:
    return np.full((len(NOISES), len(MEANS)), (n - k) * np.log(CONTRADICTION))


_WEIGH = {
    TrialKind.SAMPLED: _weigh_trials,
    TrialKind.EXPLORED: _weigh_exploration,
    TrialKind.DECISIVE: _weigh_decisive,
}


@lru_cache(maxsize=10_000)
def predict_silence(n_trials: int, affected: frozenset[tuple[Counts, int]]) -> float:
    """Return the chance that a revision as affected as others shows no failure in `n_trials`.

    `affected` are the counts that the others showed, each with how many of them did. Each has a
    rate of its own; what mean and over-dispersion they have is weighed by how well that explains
    all of them, so that the lowest of many small samples does not speak alone, and the chance is
    the predictive one over what is left open::

        P(0 of n) = sum over noises and means of P(noise, mean | affected) P(0 of n | noise, mean)

    A single revision does not show how rates vary; then they are taken to be the same.
    """
    if sum(n_revisions for _, n_revisions in affected) == 1:
        ((counts, _),) = affected
        return chance_of_silence(n_trials, counts)
    priors = np.array([noise.probability for noise in NOISES])[:, None]
    weights = np.log(priors) + np.log(weigh_means([TrialKind.SAMPLED])[0])
    for counts, n_revisions in affected:
        weights = weights + n_revisions * _weigh_trials(counts.n_failures, counts.n_trials)
    odds = np.exp(weights - weights.max())
    silent = np.exp(_weigh_trials(0, n_trials))
    return float((odds * silent).sum() / odds.sum())


def weigh_means(kinds: Kinds, lowest: float = 0.0) -> Floats:
    """Return the prior probability of each mean rate, by column; below `lowest` there is none.

    Jeffreys': between the edges of the grid's cells, of which the outermost take what lies beyond.
    Of an exploration the highest mean stands for a defect that is visible, the lowest for one that
    is not; a decisive trial is as likely at each.
    """
    edges = 1 / (1 + np.exp(-np.concatenate([[-np.inf], _LOG_ODDS[1:] - _STEP / 2, [np.inf]])))
    sampled = np.diff(2 / np.pi * np.arcsin(np.sqrt(np.maximum(edges, lowest))))
    explored = np.zeros(len(MEANS))
    explored[[0, -1]] = OUT_OF_BOUNDS, 1 - OUT_OF_BOUNDS
    is_explored = is_kind(kinds, TrialKind.EXPLORED)[:, None]
    weights: Floats = np.where(is_explored, explored, sampled / sampled.sum())
    return weights
