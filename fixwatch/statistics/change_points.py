"""Where a series of counts goes from clean to affected and back: many changes, each with its odds.

The history is cut into segments. In a clean one the rate of failures is that of an artefact, next
to nothing; in an affected one it is unknown, and its own. Counts of different schedules have rates
of their own and share the cuts. With a Beta(a, b) prior for each rate, a segment with K failures of
N trials under a schedule s has the Beta-binomial probability of its totals::

    P(segment) = product over s of B(a + K_s, b + N_s - K_s) / B(a, b)

Between two neighbouring revisions, m of which there are in a history, the kind changes with the
chance c = 1/m, and the rate of an affected segment with d = 0.02/m. With C(i, j) and A(i, j) the
probabilities of revisions i to j - 1 as one clean or affected segment, among them those of staying
so, the sums over all ways to cut what lies before j, ending clean or affected, are::

    clean(j)    = sum over i < j of C(i, j) * (i = 0: 1/2; else: c * affected(i))
    affected(j) = sum over i < j of A(i, j) * (i = 0: 1/2; else: c * clean(i) + d * affected(i))

and likewise backwards from the end. Both together give each change its probability exactly, in
quadratic time: the forward and backward recursion of Fearnhead, "Exact and efficient Bayesian
inference for multiple changepoint problems", Statistics and Computing 16, 2006, with two kinds of
segment.

A history has one change on average whatever its length: the more commits, the less likely is each
to be the one. This corrects for testing many commits. A single stray count is cheaper to explain
by an artefact than by two changes, so it neither opens nor closes anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from fixwatch.statistics.binomial import Floats, RatePrior

# Of an affected rate, Jeffreys' prior; of an artefact's, one in ten thousand. The negative controls
# have not failed in hundreds of thousands of trials.
AFFECTED_PRIOR = RatePrior(0.5, 0.5)
CLEAN_PRIOR = RatePrior(0.5, 5000.0)
# The kinds of segment, as indices.
_CLEAN, _AFFECTED = 0, 1
# Changes of kind to expect in a history, and how often the rate of an affected one changes instead.
# The second is what a fix has to be told from: a rate that became too low to be seen.
EXPECTED_CHANGES = 1.0
EXPECTED_RATE_CHANGES = 0.02
# A shorter history is no likelier to change from one revision to the next than one of this length.
MIN_CUTS = 20
# The share of a change's probability that the set of its possible places holds.
SET_PROBABILITY = 0.99
# A change, or what a revision is, is stated from this probability on.
MIN_PROBABILITY = 0.99


class ChangeKind(str, Enum):
    """What changes at a place: from clean to affected, or back."""

    APPEARED = "appeared"
    FIXED = "fixed"


@dataclass(frozen=True)
class Change:
    """A change between two revisions of a series, with how sure it is."""

    kind: ChangeKind
    after: int  # `after` and `at` are the indices on its two sides, where it is most likely
    at: int
    probability: float  # of such a change between the neighbouring changes, wherever it is
    places: tuple[int, ...]  # indices `at` that hold `SET_PROBABILITY` of that, oldest first


@dataclass(frozen=True)
class ChangePoints:
    """What a whole series says."""

    affected: tuple[float, ...]  # by revision, the probability that it is affected
    changes: tuple[Change, ...]  # those that are more likely than not, oldest first


def find_change_points(
    failures: Sequence[Sequence[int]] | Floats, trials: Sequence[Sequence[int]] | Floats
) -> ChangePoints:
    """Find the changes of a series, given counts by revision, oldest first, and by schedule.

    Where a schedule did not run, it is 0 of 0. Shapes that differ and impossible counts are a
    `ValueError`.
    """
    k, n = np.asarray(failures, dtype=float), np.asarray(trials, dtype=float)
    if k.shape != n.shape or (k > n).any() or (k < 0).any():
        raise ValueError("failures and trials do not go together")
    if not len(k):
        return ChangePoints((), ())
    recursion = _Recursion(k, n)
    first = np.exp(np.log(0.5) + recursion.start[_AFFECTED, 0] - recursion.total)
    fixes, appearances = recursion.find_cuts(_CLEAN), recursion.find_cuts(_AFFECTED)
    affected = np.clip(first + np.cumsum(appearances - fixes), 0.0, 1.0)
    changes = tuple(_find_changes(affected, fixes, appearances))
    return ChangePoints(tuple(map(float, affected)), changes)


class _Recursion:
    """The sums over all ways to cut a history, in logarithms, by the kind of segment.

    ``start[x, i]`` sums over what comes after a cut at i where a segment of kind x begins,
    ``end[x, j]`` over what comes before a cut at j where a segment of kind x ends.
    """

    def __init__(self, k: Floats, n: Floats) -> None:
        self.length = len(k)
        self._k = np.vstack([np.zeros(k.shape[1]), np.cumsum(k, axis=0)])
        self._n = np.vstack([np.zeros(n.shape[1]), np.cumsum(n, axis=0)])
        cuts = max(self.length - 1, MIN_CUTS)
        change, rate_change = EXPECTED_CHANGES / cuts, EXPECTED_RATE_CHANGES / cuts
        self._change, self._rate_change = np.log(change), np.log(rate_change)
        self._stay = np.log1p([-change, -change - rate_change])
        cuts_before = ((j, slice(0, j)) for j in range(1, self.length + 1))
        cuts_after = ((i, slice(i + 1, None)) for i in range(self.length - 1, -1, -1))
        # Before the first revision either kind is as likely; after the last nothing follows.
        self.end = self._sum_segments(cuts_before, np.log(0.5))
        self.start = self._sum_segments(cuts_after, 0.0)
        self.total = np.logaddexp(*self.end[:, -1])

    def _sum_segments(self, steps: Iterable[tuple[int, slice]], outermost: float) -> Floats:
        """Return the sums for each cut, over the segments from it to the cuts on one side."""
        sums = np.empty((2, self.length + 1))
        beyond = np.full((2, self.length + 1), outermost)
        for cut, others in steps:
            segments = beyond[:, others] + self._weigh_segments(cut, others)
            clean, affected = sums[:, cut] = np.logaddexp.reduce(segments, axis=1)
            beyond[_CLEAN, cut] = self._change + affected
            beyond[_AFFECTED, cut] = np.logaddexp(
                self._change + clean, self._rate_change + affected
            )
        return sums

    def _weigh_segments(self, cut: int, others: slice) -> Floats:
        """Return the probabilities of the counts between cuts, as one segment of each kind.

        Without the binomial coefficients, which are the same for all ways to cut.
        """
        k = np.abs(self._k[cut] - self._k[others])
        n = np.abs(self._n[cut] - self._n[others])
        inner = np.abs(np.arange(self.length + 1)[others] - cut) - 1
        counted = [prior.weigh(k, n).sum(axis=1) for prior in (CLEAN_PRIOR, AFFECTED_PRIOR)]
        weights: Floats = np.stack(counted) + self._stay[:, None] * inner
        return weights

    def find_cuts(self, kind: int) -> Floats:
        """Return for each revision the probability that it is the first of a kind after others."""
        odds = np.zeros(self.length)
        cuts = self.end[1 - kind, 1:-1] + self._change + self.start[kind, 1:-1]
        odds[1:] = np.exp(cuts - self.total)
        return odds


def _find_changes(affected: Floats, fixes: Floats, appearances: Floats) -> list[Change]:
    """Return a change for each place where a revision's likelier kind is not its neighbour's."""
    kinds = affected > 0.5
    flips = [int(at) for at in np.flatnonzero(kinds[1:] != kinds[:-1]) + 1]
    changes = []
    for number, flip in enumerate(flips):
        odds = appearances if kinds[flip] else fixes
        first = flips[number - 1] + 1 if number else 1
        last = flips[number + 1] if number + 1 < len(flips) else len(kinds)
        window = odds[first:last]
        at = first + int(np.argmax(window))
        changes.append(
            Change(
                kind=ChangeKind.APPEARED if kinds[flip] else ChangeKind.FIXED,
                after=at - 1,
                at=at,
                probability=min(float(window.sum()), 1.0),
                places=choose_places(window, first),
            )
        )
    return changes


def choose_places(window: Floats, first: int) -> tuple[int, ...]:
    """Return the smallest set of places that holds `SET_PROBABILITY` of a window."""
    order = np.argsort(window)[::-1]
    held = np.cumsum(window[order])
    n_places = int(np.searchsorted(held, SET_PROBABILITY * held[-1])) + 1
    return tuple(sorted(first + int(place) for place in order[:n_places]))
