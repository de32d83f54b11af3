"""Where a series of counts goes from clean to affected and back: many changes, each with its odds.

The history is cut into segments, which alternate between clean and affected. What counts are likely
in either says `fixwatch.statistics.noisy_counts`. In an affected segment each schedule has a mean
rate of its own. From one revision to the next it walks a step on the grid of means with the chance
w, and with d = 0.02/m, where m is the number of cuts in the history, it becomes any other: that is
what a fix has to be told from, a rate that became too low to be seen. With the filtered
probabilities f of the means, and e(t) those of the counts of revision t at each, a segment from i
on has the probability ::

    A(i, j + 1) = A(i, j) * sum over means of f' * e(j)         f' = walk(f);   f = f' e(j) / sum

for each schedule, and their product for all. A clean one has the product C(i, j) of its revisions'.
Between two neighbouring revisions the kind changes with the chance c = 1/m. Both with the chances
of staying so, the sums over all ways to cut what lies before j, ending clean or affected, are::

    clean(j)    = sum over i < j of C(i, j) * (i = 0: 1/2; else: c * affected(i))
    affected(j) = sum over i < j of A(i, j) * (i = 0: 1/2; else: c * clean(i))

and likewise backwards from the end. Both together give each change its probability exactly, in
quadratic time: the forward and backward recursion of Fearnhead, "Exact and efficient Bayesian
inference for multiple changepoint problems", Statistics and Computing 16, 2006, with two kinds of
segment. It is run for each kind of noise, and they are averaged by the probability of the whole
history under each.

A history has one change on average whatever its length: the more commits, the less likely is each
to be the one. This corrects for testing many commits. A single stray count is cheaper to explain
by an artefact, and several at once by a burst, than by two changes, so they neither open nor close
anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from fixwatch.statistics.binomial import Floats
from fixwatch.statistics.noisy_counts import (
    NOISES,
    Kinds,
    TrialKind,
    is_kind,
    weigh_affected,
    weigh_clean,
    weigh_means,
)

# Changes of kind to expect in a history, and how often the rate of an affected one changes instead,
# other than by its walk.
EXPECTED_CHANGES = 1.0
EXPECTED_RATE_CHANGES = 0.02
# A shorter history is no likelier to change from one revision to the next than one of this length.
MIN_CUTS = 20
# The share of a change's probability that the set of its possible places holds.
SET_PROBABILITY = 0.99
# A segment that explains what lies before a cut by so much worse, in logarithms, is left out: no
# counts to come could make up for it, since a new segment is cheaper.
_MAX_WORSE = 40.0
# Counts that are less likely than this, in logarithms, are impossible; so no probability is 0.
_LEAST_LOG = -500.0
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
    failures: Sequence[Sequence[int]] | Floats,
    trials: Sequence[Sequence[int]] | Floats,
    kinds: Kinds | None = None,
) -> ChangePoints:
    """Find the changes of a series, given counts by revision, oldest first, and by schedule.

    Where a schedule did not run, it is 0 of 0. `kinds` are those of the schedules' trials, which
    are sampled unless it says otherwise; of an exploration the whole is one trial. Shapes that
    differ and impossible counts are a `ValueError`.
    """
    k, n = np.asarray(failures, dtype=float), np.asarray(trials, dtype=float)
    if k.shape != n.shape or (k > n).any() or (k < 0).any():
        raise ValueError("failures and trials do not go together")
    if not len(k):
        return ChangePoints((), ())
    recursion = _Recursion(k, n, kinds or [TrialKind.SAMPLED] * k.shape[1])
    affected = np.clip(
        recursion.first + np.cumsum(recursion.appearances - recursion.fixes), 0.0, 1.0
    )
    changes = tuple(_find_changes(affected, recursion.fixes, recursion.appearances))
    return ChangePoints(tuple(map(float, affected)), changes)


class _Recursion:
    """The sums over all ways to cut a history, in logarithms, for each noise.

    ``first`` is the probability that the first revision is affected, ``appearances`` and ``fixes``
    those that each revision is the first of its kind after others.
    """

    def __init__(self, k: Floats, n: Floats, kinds: Kinds) -> None:
        self._length = len(k)
        cuts = max(self._length - 1, MIN_CUTS)
        change, rate_change = EXPECTED_CHANGES / cuts, EXPECTED_RATE_CHANGES / cuts
        self._change, self._rate_change = np.log([change, rate_change])
        self._stay_clean, self._stay_affected = np.log1p([-change, -change - rate_change])
        moves = np.array([noise.move_chance for noise in NOISES])
        self._move_chances = moves[:, None, None] * is_kind(kinds, TrialKind.SAMPLED)[:, None]
        self._means = weigh_means(kinds)
        affected = weigh_affected(k, n, kinds)
        # What a revision's likeliest rates make of its counts is a factor of everything.
        scale = affected.max(axis=(1, 3), keepdims=True)
        self._chances = np.exp(np.maximum(affected - scale, _LEAST_LOG))
        clean = weigh_clean(k, n, kinds) - scale[:, 0, :, 0]
        self._clean: Floats = clean.sum(axis=1)
        self._sum_forwards()
        self._sum_backwards()
        self._weigh_cuts()

    def _sum_forwards(self) -> None:
        """Sum over what lies before each cut, by the kind of segment that ends there.

        On the way it fills in the probability of each affected segment between two cuts.
        """
        length, n_noises = self._length, len(NOISES)
        self._segments = np.full((n_noises, length, length + 1), -np.inf)
        self._clean_ends, self._affected_ends = np.full((2, n_noises, length + 1), -np.inf)
        before = np.full((n_noises, length), np.log(0.5))
        starts = np.empty(0, dtype=int)
        first = np.broadcast_to(self._means, (1, n_noises, *self._means.shape))
        filtered = np.empty((0, *first.shape[1:]))
        weights = np.empty((0, n_noises))
        for at in range(length):
            before_clean = np.full(n_noises, np.log(0.5))
            if at:
                clean, affected = self._clean_ends[:, at], self._affected_ends[:, at]
                before[:, at] = np.logaddexp(clean + self._change, affected + self._rate_change)
                before_clean = np.logaddexp(clean + self._stay_clean, affected + self._change)
            self._walk(filtered)
            starts = np.append(starts, at)
            filtered = np.concatenate([filtered, first])
            filtered *= self._chances[at]
            chance = filtered.sum(axis=-1)
            filtered /= chance[..., None]
            weights = np.concatenate([weights + self._stay_affected, np.zeros((1, n_noises))])
            weights += np.log(chance).sum(axis=-1)
            self._segments[:, starts, at + 1] = weights.T
            self._clean_ends[:, at + 1] = before_clean + self._clean[at]
            ending = before[:, starts] + weights.T
            self._affected_ends[:, at + 1] = np.logaddexp.reduce(ending, axis=1)
            best = np.maximum(self._clean_ends[:, at + 1], self._affected_ends[:, at + 1])
            is_kept = (ending > best[:, None] - _MAX_WORSE).any(axis=0)
            if not is_kept.all():
                starts, filtered, weights = starts[is_kept], filtered[is_kept], weights[is_kept]

    def _walk(self, filtered: Floats) -> None:
        """Move the probabilities of the means on by one revision."""
        moved = filtered * self._move_chances
        filtered -= moved
        filtered -= moved
        filtered[..., 1:] += moved[..., :-1]
        filtered[..., :-1] += moved[..., 1:]
        # At the ends of the grid they stay instead.
        filtered[..., 0] += moved[..., 0]
        filtered[..., -1] += moved[..., -1]

    def _sum_backwards(self) -> None:
        """Sum over what follows each cut, by the kind of segment that begins there."""
        length = self._length
        self._clean_starts, self._affected_starts = np.zeros((2, len(NOISES), length + 1))
        after_affected = np.zeros((len(NOISES), length + 1))
        for at in range(length - 1, -1, -1):
            later = slice(at + 1, None)
            self._affected_starts[:, at] = np.logaddexp.reduce(
                self._segments[:, at, later] + after_affected[:, later], axis=1
            )
            after_clean = np.zeros(len(NOISES))
            if at + 1 < length:
                after_clean = np.logaddexp(
                    self._stay_clean + self._clean_starts[:, at + 1],
                    self._change + self._affected_starts[:, at + 1],
                )
            self._clean_starts[:, at] = self._clean[at] + after_clean
            after_affected[:, at] = np.logaddexp(
                self._change + self._clean_starts[:, at],
                self._rate_change + self._affected_starts[:, at],
            )

    def _weigh_cuts(self) -> None:
        """Average the probabilities of the cuts over the kinds of noise."""
        totals = np.logaddexp(self._clean_ends[:, -1], self._affected_ends[:, -1])
        noises = totals + np.log([noise.probability for noise in NOISES])
        noises = np.exp(noises - np.logaddexp.reduce(noises))
        self.first = float(noises @ np.exp(np.log(0.5) + self._affected_starts[:, 0] - totals))
        self.appearances, self.fixes = np.zeros((2, self._length))
        inner = slice(1, self._length)
        for odds, ends, starts in (
            (self.appearances, self._clean_ends, self._affected_starts),
            (self.fixes, self._affected_ends, self._clean_starts),
        ):
            cuts = ends[:, inner] + self._change + starts[:, inner] - totals[:, None]
            odds[inner] = noises @ np.exp(cuts)


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
