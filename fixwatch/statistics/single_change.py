"""Where in a range of commits one change lies, from counts at a few of them.

At most one change is supposed, from clean to affected (``appeared``) or back (``fixed``). What
counts are likely of either says `fixwatch.statistics.noisy_counts`: each affected commit has a rate
of its own around the mean of its side, and artefacts may come in bursts. With C the probability of
a side's counts if it is clean, and A(noise) if it is affected, the product over schedules of sums
over means, a hypothesis, a kind and a place, is weighed by ::

    w(kind, place) = v(place) / sum of v * sum over noises of P(noise) * C(clean side) * A(other)
    w(no change)   = the same with one side, all clean or all affected, and without v
    P(hypothesis)  = w / sum of all w

The weights v of the commits are all alike unless something says that one is an unlikely place.
Unlike in a history, no mean is below `MIN_AFFECTED_RATE`: no number of silent trials tells a rate
of next to nothing from a clean one, and a search has to end.

A change from one visible rate to another is none: rates drift with a machine's load, and a search
would follow them instead of a fix behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from fixwatch.statistics.binomial import Floats, log_binomial
from fixwatch.statistics.change_points import EXPECTED_CHANGES, ChangeKind, choose_places
from fixwatch.statistics.noisy_counts import (
    NOISES,
    Bools,
    Kinds,
    TrialKind,
    is_kind,
    weigh_affected,
    weigh_clean,
    weigh_means,
)

# An affected commit that fails more rarely is not told from a clean one.
MIN_AFFECTED_RATE = 0.001
# What trials may say is taken from whether none, one, two or more of them fail.
MAX_TOLD_APART = 2
# The kinds of change, as indices in the order of `ChangeKind`, and without one.
_APPEARED, _FIXED = 0, 1
_STILL_AFFECTED = 1


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

    Where there are no trials, it is 0 of 0. `kinds` are those of the schedules' trials, which are
    sampled unless it says otherwise; of an exploration the whole is one trial. The weights say how
    likely each commit is to be the place beforehand, relative to 1. Shapes that differ, impossible
    counts and fewer than two commits are a `ValueError`.
    """

    def __init__(
        self,
        failures: Sequence[Sequence[int]] | Floats,
        trials: Sequence[Sequence[int]] | Floats,
        weights: Sequence[float] | None = None,
        kinds: Kinds | None = None,
    ) -> None:
        k, n = np.asarray(failures, dtype=float), np.asarray(trials, dtype=float)
        if k.shape != n.shape or k.ndim != 2 or (k > n).any() or (k < 0).any():
            raise ValueError("failures and trials do not go together")
        if len(k) < 2:
            raise ValueError("a range of one commit has no place for a change")
        self.n_commits = len(k)
        self.trials: Floats = n
        self.is_measured = n.sum(axis=1) > 0
        self._measured = np.flatnonzero(self.is_measured)
        # Places between the same two measured commits have the same likelihood.
        self._gap_of = np.searchsorted(self._measured, np.arange(self.n_commits))
        self._k, self._n = k[self._measured], n[self._measured]
        self._kinds = kinds or [TrialKind.SAMPLED] * k.shape[1]
        # Commits of which more trials would say nothing new, whichever schedule they are of.
        self.is_decided: Bools = n[:, is_kind(self._kinds, TrialKind.DECISIVE)].sum(axis=1) > 0
        self._sum_sides()
        self._weigh(np.ones(len(k)) if weights is None else np.asarray(weights, dtype=float))

    def _sum_sides(self) -> None:
        """Weigh the counts before and after each gap if clean, and for each noise and mean."""
        means = weigh_means(self._kinds, MIN_AFFECTED_RATE)
        clean = weigh_clean(self._k, self._n, self._kinds).sum(axis=1)
        affected = weigh_affected(self._k, self._n, self._kinds)
        (clean_before, clean_after), (before, after) = (
            _sum_before_and_after(weights) for weights in (clean, affected)
        )
        with np.errstate(divide="ignore"):
            before, after = before + np.log(means), after + np.log(means)
        # Of shape (gaps, noises); the last gap has all commits before it.
        by_noise = [scipy.special.logsumexp(side, axis=-1).sum(axis=-1) for side in (before, after)]
        prior = np.log([noise.probability for noise in NOISES])
        self._by_noise: Floats = np.stack(
            [clean_before[:, None] + by_noise[1], by_noise[0] + clean_after[:, None]]
        )
        self._by_noise += prior
        self._still_by_noise: Floats = np.stack(
            [np.full(len(NOISES), clean_before[-1]), by_noise[0][-1]]
        )
        self._still_by_noise += prior
        # What is known of the mean rates on the side that is affected, by kind.
        self._rates = [scipy.special.softmax(side, axis=-1) for side in (after, before)]

    def _weigh(self, weights: Floats) -> None:
        # A commit that weighs next to nothing makes the range no longer.
        change = np.log(EXPECTED_CHANGES / float(weights[1:].sum()))
        places = change + self._by_noise[:, self._gap_of] + np.log(weights)[:, None]
        # Nothing is known of what was before the first commit.
        places[:, 0] = -np.inf
        still = self._still_by_noise
        total = np.logaddexp(scipy.special.logsumexp(places), scipy.special.logsumexp(still))
        by_noise = np.exp(places - total)
        self.places: Floats = by_noise.sum(axis=-1)
        self._still: Floats = np.exp(still - total).sum(axis=-1)

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

    def find_silence(self, schedule: int, n_trials: int) -> float:
        """Return the chance that a commit of the affected side shows no failure, at the most.

        That is with the noise under which it is greatest, and the means that the counts of the
        likeliest change's affected side leave under that noise.
        """
        kind = tuple(ChangeKind).index(self.placement.kind)
        rates = self._rates[kind][self._gap_of[self.placement.at], :, schedule]
        none, number = np.zeros((1, 1)), np.full((1, 1), float(n_trials))
        silent = np.exp(weigh_affected(none, number, [self._kinds[schedule]]))[0, :, 0]
        return float((rates * silent).sum(axis=-1).max())

    def expect_information(self, schedule: int, n_trials: Sequence[int]) -> Floats:
        """Return what trials at each commit are expected to say of the change, in bits.

        That is the mutual information of the hypotheses h and the number of failures k::

            H(sum over h of P(h) P(k | h)) - sum over h of P(h) H(P(k | h))

        where H is the entropy and P(k | h) the predictive of k, given the commit's own counts and
        those on its side of the change. Source: Lindley, "On a measure of the information provided
        by an experiment", Annals of Mathematical Statistics 27(4), 1956.

        The schedule is given by its index; the answer is of shape (commits, numbers of trials).
        """
        after, before = self._weigh_sides()
        still_clean, still_affected = self._still
        clean_weight = before[:, _APPEARED].sum(axis=-1) + after[:, _FIXED].sum(axis=-1)
        # Commits without trials are alike, the others are not.
        likes = np.zeros(self.n_commits, dtype=int)
        likes[self._measured] = np.arange(len(self._measured)) + 1
        columns = []
        for number in n_trials:
            clean, still, *changed = self._predict(schedule, number)
            clean_odds = clean_weight + still_clean
            known = clean_odds * _entropy(clean)[likes] + still_affected * _entropy(still)[likes]
            average = clean_odds[:, None] * clean[likes] + still_affected * still[likes]
            for odds, weights in zip(
                changed, (after[:, _APPEARED], before[:, _FIXED]), strict=True
            ):
                known += (weights * _entropy(odds)[likes]).sum(axis=-1)
                average += weights @ odds[0]
                own = weights[self._measured]
                average[self._measured] += np.einsum("cg,cgk->ck", own, odds[1:] - odds[0])
            columns.append(_entropy(average) - known)
        information: Floats = np.maximum(np.stack(columns, axis=1), 0.0)
        return information

    def _predict(self, schedule: int, n_trials: int) -> list[Floats]:
        """Return the chances of failures, for a commit without trials, then for each with some.

        They are those of a clean commit, of one where all are affected, and of one on the affected
        side of a change that appeared, and of one that was fixed, by gap; each of none, one and two
        failures.
        """
        failures = np.arange(min(n_trials, MAX_TOLD_APART + 1), dtype=float)
        clean, affected = self._compare_counts(schedule, n_trials, failures)
        # Over noises and means, as the counts of a side leave them.
        known = []
        for rates, by_noise in zip(self._rates, self._by_noise, strict=True):
            odds = scipy.special.softmax(by_noise, axis=-1)
            known.append(odds[:, :, None] * rates[:, :, schedule])
        appeared, fixed = (np.einsum("gnm,cknm->cgk", own, affected) for own in known)
        odds = scipy.special.softmax(self._still_by_noise[_STILL_AFFECTED])
        still = np.einsum("n,nm,cknm->ck", odds, self._rates[_FIXED][-1, :, schedule], affected)
        return [clean, still, appeared, fixed]

    def _compare_counts(
        self, schedule: int, n_trials: int, failures: Floats
    ) -> tuple[Floats, Floats]:
        """Return the chances of further failures given a commit's own counts, if clean or affected.

        Of shape (commits, failures), and then (noises, means) if affected.
        """
        commits = np.concatenate(
            [[[0.0, 0.0]], np.stack([self._k, self._n], axis=1)[..., schedule]]
        )
        further = np.stack([failures, np.full(len(failures), float(n_trials))], axis=1)
        k, n = np.moveaxis(commits[:, None] + np.concatenate([[[0.0, 0.0]], further]), -1, 0)
        kinds = [self._kinds[schedule]]
        clean = weigh_clean(k.reshape(-1, 1), n.reshape(-1, 1), kinds).reshape(k.shape)
        affected = weigh_affected(k.reshape(-1, 1), n.reshape(-1, 1), kinds)
        affected = affected.reshape(*k.shape, *affected.shape[1::2])
        ways = log_binomial(n_trials, failures)
        return (
            np.exp(ways + clean[:, 1:] - clean[:, :1]),
            np.exp(ways[:, None, None] + affected[:, 1:] - affected[:, :1]),
        )

    def _weigh_sides(self) -> tuple[Floats, Floats]:
        """Return for each commit the probability of each kind and gap with it after, before."""
        n_gaps = len(self._measured) + 1
        in_gap = np.zeros((self.n_commits, n_gaps))
        in_gap[np.arange(self.n_commits), self._gap_of] = 1.0
        up_to = np.cumsum(self.places[:, :, None] * in_gap, axis=1)
        after = np.moveaxis(up_to, 0, 1)
        return after, after[-1] - after


def _sum_before_and_after(weights: Floats) -> tuple[Floats, Floats]:
    """Return the sums over the commits before each gap, and over those after it."""
    before = np.concatenate([np.zeros((1, *weights.shape[1:])), weights.cumsum(axis=0)])
    return before, before[-1] - before


def _entropy(odds: Floats) -> Floats:
    """Return the entropy of each row in bits; what a row lacks to 1 is one more outcome."""
    rest = np.clip(1.0 - odds.sum(axis=-1, keepdims=True), 0.0, 1.0)
    every = np.clip(np.concatenate([odds, rest], axis=-1), 0.0, 1.0)
    bits: Floats = -(every * np.log2(np.maximum(every, 1e-300))).sum(axis=-1)
    return bits
