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

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln

Floats = NDArray[np.float64]

# Beta parameters: of an affected rate, Jeffreys' prior; of an artefact's, one in ten thousand. The
# negative controls have not failed in hundreds of thousands of trials.
AFFECTED_PRIOR = (0.5, 0.5)
CLEAN_PRIOR = (0.5, 5000.0)
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
    """A change between two revisions of a series, with how sure it is.

    Attributes
    ----------
    after, at
        The indices of the revisions on its two sides, where it is most likely.
    probability
        That there is such a change between the neighbouring changes, wherever it is.
    places
        Indices `at` that hold `SET_PROBABILITY` of that, oldest first.
    """

    kind: ChangeKind
    after: int
    at: int
    probability: float
    places: tuple[int, ...]


@dataclass(frozen=True)
class ChangePoints:
    """What a whole series says.

    Attributes
    ----------
    affected
        For each revision the probability that it is affected.
    changes
        The changes that are more likely than not, oldest first.
    """

    affected: tuple[float, ...]
    changes: tuple[Change, ...]


def find_change_points(
    failures: Sequence[Sequence[int]] | Floats, trials: Sequence[Sequence[int]] | Floats
) -> ChangePoints:
    """Find the changes of a series.

    Parameters
    ----------
    failures, trials
        Counts by revision, oldest first, and by schedule; 0 of 0 where a schedule did not run.

    Raises
    ------
    ValueError
        If the shapes differ or a count is impossible.
    """
    k, n = np.asarray(failures, dtype=float), np.asarray(trials, dtype=float)
    if k.shape != n.shape or (k > n).any() or (k < 0).any():
        raise ValueError("failures and trials do not go together")
    if not len(k):
        return ChangePoints((), ())
    recursion = _Recursion(k, n)
    affected = np.clip(recursion.affected(), 0.0, 1.0)
    changes = tuple(_find_changes(affected, recursion.fixes(), recursion.appearances()))
    return ChangePoints(tuple(map(float, affected)), changes)


class _Recursion:
    """The sums over all ways to cut a history, in logarithms.

    ``start_x[i]`` sums over what comes after a cut at i where a segment of kind x begins,
    ``end_x[j]`` over what comes before a cut at j where a segment of kind x ends.
    """

    def __init__(self, k: Floats, n: Floats) -> None:
        self.length = len(k)
        self._k = np.vstack([np.zeros(k.shape[1]), np.cumsum(k, axis=0)])
        self._n = np.vstack([np.zeros(n.shape[1]), np.cumsum(n, axis=0)])
        cuts = max(self.length - 1, MIN_CUTS)
        change, rate_change = EXPECTED_CHANGES / cuts, EXPECTED_RATE_CHANGES / cuts
        self._change, self._rate_change = np.log(change), np.log(rate_change)
        self._stay_clean = np.log1p(-change)
        self._stay_affected = np.log1p(-change - rate_change)
        self._forward()
        self._backward()
        self.total = np.logaddexp(self.end_clean[-1], self.end_affected[-1])

    def _forward(self) -> None:
        self.end_clean, self.end_affected = np.empty((2, self.length + 1))
        # Before the first revision either kind is as likely.
        into_clean, into_affected = np.full((2, self.length + 1), np.log(0.5))
        for j in range(1, self.length + 1):
            starts = np.arange(j)
            clean, affected = self._segments(starts, j)
            self.end_clean[j] = np.logaddexp.reduce(into_clean[:j] + clean)
            self.end_affected[j] = np.logaddexp.reduce(into_affected[:j] + affected)
            into_clean[j] = self._change + self.end_affected[j]
            into_affected[j] = np.logaddexp(
                self._change + self.end_clean[j], self._rate_change + self.end_affected[j]
            )

    def _backward(self) -> None:
        self.start_clean, self.start_affected = np.empty((2, self.length))
        # After the last revision nothing follows.
        after_clean, after_affected = np.zeros((2, self.length + 1))
        for i in range(self.length - 1, -1, -1):
            ends = np.arange(i + 1, self.length + 1)
            clean, affected = self._segments(i, ends)
            self.start_clean[i] = np.logaddexp.reduce(clean + after_clean[i + 1 :])
            self.start_affected[i] = np.logaddexp.reduce(affected + after_affected[i + 1 :])
            after_clean[i] = self._change + self.start_affected[i]
            after_affected[i] = np.logaddexp(
                self._change + self.start_clean[i], self._rate_change + self.start_affected[i]
            )

    def _segments(
        self, starts: NDArray[np.int64] | int, ends: NDArray[np.int64] | int
    ) -> tuple[Floats, Floats]:
        """Return the probabilities of the counts from start to end as one clean, affected segment.

        Without the binomial coefficients, which are the same for all ways to cut.
        """
        k = self._k[ends] - self._k[starts]
        n = self._n[ends] - self._n[starts]
        inner = np.asarray(ends) - np.asarray(starts) - 1
        return (
            _log_beta_binomial(k, n, CLEAN_PRIOR).sum(axis=1) + inner * self._stay_clean,
            _log_beta_binomial(k, n, AFFECTED_PRIOR).sum(axis=1) + inner * self._stay_affected,
        )

    def fixes(self) -> Floats:
        """Return for each revision the probability that it is the first clean one after others."""
        return self._cut_odds(self.end_affected, self.start_clean)

    def appearances(self) -> Floats:
        """Return for each revision the probability that it is the first affected one."""
        return self._cut_odds(self.end_clean, self.start_affected)

    def _cut_odds(self, end: Floats, start: Floats) -> Floats:
        odds = np.zeros(self.length)
        odds[1:] = np.exp(end[1:-1] + self._change + start[1:] - self.total)
        return odds

    def affected(self) -> Floats:
        """Return for each revision the probability that it is affected."""
        first = np.exp(np.log(0.5) + self.start_affected[0] - self.total)
        result: Floats = first + np.cumsum(self.appearances() - self.fixes())
        return result


def _log_beta_binomial(k: Floats, n: Floats, prior: tuple[float, float]) -> Floats:
    a, b = prior
    result: Floats = betaln(a + k, b + n - k) - betaln(a, b)
    return result


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
