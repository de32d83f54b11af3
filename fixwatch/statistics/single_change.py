"""Where in a range of commits one change lies, from counts at a few of them.

At most one change is supposed, from clean to affected (``appeared``) or back (``fixed``). Both
rates are unknown. With Beta priors they integrate out, so that a hypothesis, a kind and a place,
is weighed by the Beta-binomial probabilities of the totals K of N on its two sides, by schedule s::

    w(kind, place) = v(place) / sum of v * product over s and sides of
                     B(a + K, b + N - K) / B(a, b)        a, b: clean or affected, by kind and side
    w(no change)   = the same with one side, all clean or all affected, and without v
    P(hypothesis)  = w / sum of all w

The weights v of the commits are all alike unless something says that one is an unlikely place. The
prior of an affected rate is Jeffreys', cut off
below `MIN_AFFECTED_RATE`, by a factor I(a + K, b + N - K) / I(a, b), where I is the share of the
Beta distribution above it. No number of silent trials tells a rate of next to nothing from a clean
one, and a search has to end.

A change from one visible rate to another is none: rates drift with a machine's load, and a search
would follow them instead of a fix behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from fixwatch.statistics.binomial import Floats, RatePrior, log_binomial
from fixwatch.statistics.change_points import (
    EXPECTED_CHANGES,
    ChangeKind,
    choose_places,
)

# An affected commit that fails more rarely is not told from a clean one.
MIN_AFFECTED_RATE = 0.001
# Up to so many trials, what they may say is taken from the whole distribution of their failures;
# above, from whether there is one.
MAX_EXACT_TRIALS = 100


CLEAN = RatePrior(0.5, 5000.0)
AFFECTED = RatePrior(0.5, 0.5, lowest=MIN_AFFECTED_RATE)
# The priors of the rates before and after, in the order of `ChangeKind`.
_SIDES = ((CLEAN, AFFECTED), (AFFECTED, CLEAN))
# Without a change, everything is clean or everything is affected.
_STILL = (CLEAN, AFFECTED)


@dataclass(frozen=True)
class Placement:
    """The place of a change, as far as it is known."""

    kind: ChangeKind
    at: int  # the likeliest first commit behind the change, by index
    probability: float  # of a change of this kind at this place
    kind_probability: float  # of a change of this kind, wherever it is
    places: tuple[int, ...]  # indices that hold 99 % of that, oldest first


class SingleChange:
    """The posterior over the hypotheses, given counts by commit, oldest first, and by schedule.

    Where there are no trials, it is 0 of 0. The weights say how likely each commit is to be the
    place beforehand, relative to 1. Shapes that differ, impossible counts and fewer than two
    commits are a `ValueError`.
    """

    def __init__(
        self,
        failures: Sequence[Sequence[int]] | Floats,
        trials: Sequence[Sequence[int]] | Floats,
        weights: Sequence[float] | None = None,
    ) -> None:
        k, n = np.asarray(failures, dtype=float), np.asarray(trials, dtype=float)
        if k.shape != n.shape or k.ndim != 2 or (k > n).any() or (k < 0).any():
            raise ValueError("failures and trials do not go together")
        if len(k) < 2:
            raise ValueError("a range of one commit has no place for a change")
        self.n_commits = len(k)
        self.is_measured = n.sum(axis=1) > 0
        self._measured = np.flatnonzero(self.is_measured)
        # Places between the same two measured commits have the same likelihood.
        self._gap_of = np.searchsorted(self._measured, np.arange(self.n_commits))
        totals = [
            np.vstack([np.zeros(x.shape[1]), x[self._measured].cumsum(axis=0)]) for x in (k, n)
        ]
        self._k_sides, self._n_sides = (
            np.stack([before, before[-1] - before], axis=1) for before in totals
        )
        self._weigh(np.ones(len(k)) if weights is None else np.asarray(weights, dtype=float))

    def _weigh(self, weights: Floats) -> None:
        # A commit that weighs next to nothing makes the range no longer.
        cuts = float(weights[1:].sum())
        by_gap = np.stack(
            [
                np.log(EXPECTED_CHANGES / cuts)
                + sum(
                    prior.weigh(self._k_sides[:, side], self._n_sides[:, side]).sum(axis=1)
                    for side, prior in enumerate(priors)
                )
                for priors in _SIDES
            ]
        )
        still = np.array(
            [prior.weigh(self._k_sides[-1, 0], self._n_sides[-1, 0]).sum() for prior in _STILL]
        )
        places = by_gap[:, self._gap_of] + np.log(weights)
        # Nothing is known of what was before the first commit.
        places[:, 0] = -np.inf
        total = np.logaddexp(scipy.special.logsumexp(places), scipy.special.logsumexp(still))
        self.places: Floats = np.exp(places - total)
        self._still: Floats = np.exp(still - total)

    @property
    def no_change(self) -> float:
        """The probability that the range has no change."""
        return float(self._still.sum())

    @property
    def still_affected(self) -> float:
        """The probability that every commit of the range is affected."""
        return float(self._still[1])

    @cached_property
    def placement(self) -> Placement:
        """The likeliest change, whether or not it is likely."""
        by_kind = self.places.sum(axis=1)
        kind = int(np.argmax(by_kind))
        odds = self.places[kind]
        at = int(np.argmax(odds))
        return Placement(
            kind=tuple(ChangeKind)[kind],
            at=at,
            probability=float(odds[at]),
            kind_probability=float(by_kind[kind]),
            places=choose_places(odds, 0),
        )

    def expect_information(self, schedule: int, n_trials: Sequence[int]) -> Floats:
        """Return what trials at each commit are expected to say of the change, in bits.

        That is the mutual information of the hypotheses h and the number of failures k::

            H(sum over h of P(h) P(k | h)) - sum over h of P(h) H(P(k | h))

        where H is the entropy and P(k | h) the Beta-binomial predictive of k, given the counts on
        the commit's side of the change. Source: Lindley, "On a measure of the information provided
        by an experiment", Annals of Mathematical Statistics 27(4), 1956.

        The schedule is given by its index; the answer is of shape (commits, numbers of trials).
        """
        after, before = self._weigh_sides()
        columns = []
        for number in n_trials:
            failures = np.arange(number + 1 if number <= MAX_EXACT_TRIALS else 1, dtype=float)
            predicted = {
                (side, prior): self._predict(failures, number, schedule, side, prior)
                for side in (0, 1)
                for prior in _STILL
            }
            # By kind and gap, then by number of failures.
            left, right = (
                np.concatenate([predicted[side, priors[side]] for priors in _SIDES])
                for side in (0, 1)
            )
            still = np.concatenate([predicted[0, prior][-1:] for prior in _STILL])
            average = after @ right + before @ left + self._still @ still
            known = (
                after @ _entropy(right) + before @ _entropy(left) + self._still @ _entropy(still)
            )
            columns.append(_entropy(average) - known)
        return np.maximum(np.stack(columns, axis=1), 0.0)

    def _predict(
        self, failures: Floats, n_trials: int, schedule: int, side: int, prior: RatePrior
    ) -> Floats:
        """Return the predictive probability of each number of failures, a row a gap."""
        k, n = self._k_sides[:, side, schedule, None], self._n_sides[:, side, schedule, None]
        ways = log_binomial(n_trials, failures)
        odds: Floats = np.exp(ways + prior.weigh(k + failures, n + n_trials) - prior.weigh(k, n))
        return odds

    def _weigh_sides(self) -> tuple[Floats, Floats]:
        """Return for each commit the probability of each kind and gap with it after, before."""
        n_gaps = len(self._measured) + 1
        in_gap = np.zeros((self.n_commits, n_gaps))
        in_gap[np.arange(self.n_commits), self._gap_of] = 1.0
        up_to = np.cumsum(self.places[:, :, None] * in_gap, axis=1)
        after = np.moveaxis(up_to, 0, 1).reshape(self.n_commits, -1)
        return after, after[-1] - after


def _entropy(odds: Floats) -> Floats:
    """Return the entropy of each row in bits; what a row lacks to 1 is one more outcome."""
    rest = np.clip(1.0 - odds.sum(axis=-1, keepdims=True), 0.0, 1.0)
    every = np.clip(np.concatenate([odds, rest], axis=-1), 0.0, 1.0)
    bits: Floats = -(every * np.log2(np.maximum(every, 1e-300))).sum(axis=-1)
    return bits
