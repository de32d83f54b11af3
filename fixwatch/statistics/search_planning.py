"""What to measure next when a build takes a minute and a trial milliseconds.

Each possible step, n more trials at a commit, is valued by the information that it is expected to
yield per second, ::

    I(commit, n) / (cost_s(commit) + n * trial_s)

with I as `fixwatch.statistics.single_change.SingleChange.expect_information` gives it. The best
step is taken, and then all are valued again. So a built commit gets more trials as long as they
yield more per second than another build would.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from fixwatch.statistics.binomial import Floats
from fixwatch.statistics.change_points import MIN_PROBABILITY, ChangeKind
from fixwatch.statistics.single_change import SingleChange

# Further trials to choose from; each about three times as many as the one before.
TRIALS = (10, 30, 100, 300, 1000, 3000)
# An answer can be stated earlier, but from there to here it takes trials and hardly a build. More
# would take builds, as the commit of a change may be one whose batch met a burst of artefacts.
AIM = 0.995
# The same where there is no change. It is lower because commits at the ends that cannot be measured
# stay possible places of a change: half a percent is left to them.
NO_CHANGE_AIM = 0.995
# No commit gets more trials than this: one that fails at the lowest rate that is looked for, 0.001,
# is silent for so long with a chance of a quarter of a percent.
MAX_TRIALS = 6_000
# For an end of the range that nothing else calls for.
END_TRIALS = 100
# A step that is expected to yield less is not worth taking, whatever it costs.
MIN_INFORMATION_BITS = 0.002
# Before a place is stated, so many silent commits next to it get trials: until one that is affected
# would hardly be silent, however much rates vary, or up to a limit.
N_CONFIRMED = 2
MAX_SILENCE = 0.01
MAX_CONFIRMING_TRIALS = 1000
# A search that takes so many times the builds of halving its range meets noise, and ends undecided.
MAX_HALVINGS = 4


class SearchAnswer(str, Enum):
    """What a search ends with."""

    FOUND = "found"
    NO_CHANGE = "no-change"
    NOT_DECIDED = "not-decided"


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds that the parts of a step take."""

    build_s: float
    visit_s: float  # to install what is built, and start measuring
    trial_s: float


@dataclass(frozen=True)
class Step:
    """So many further trials at the commit of an index."""

    index: int
    n_trials: int


def find_answer(change: SingleChange, unmeasurable: Collection[int] = ()) -> SearchAnswer:
    """Return what can be stated with a probability of at least `MIN_PROBABILITY`.

    That there is no change needs trials at both ends of the range, or at the commits nearest to
    them that can be measured.
    """
    if change.placement.probability >= MIN_PROBABILITY:
        return SearchAnswer.FOUND
    ends = [index for index in range(change.n_commits) if index not in unmeasurable]
    has_ends = bool(ends) and change.is_measured[ends[0]] and change.is_measured[ends[-1]]
    if change.no_change >= MIN_PROBABILITY and has_ends:
        return SearchAnswer.NO_CHANGE
    return SearchAnswer.NOT_DECIDED


def limit_builds(n_commits: int) -> int:
    """Return how many commits a search builds before it ends undecided."""
    return MAX_HALVINGS * math.ceil(math.log2(n_commits + 1))


def choose_step(
    change: SingleChange,
    column: int,
    costs_s: Sequence[float] | Floats,
    trial_s: float,
    n_trials: Sequence[int] = TRIALS,
) -> Step | None:
    """Choose the step that is expected to yield the most information per second, if any does.

    Parameters
    ----------
    column
        The way of measuring, by its index.
    costs_s
        By commit, what it takes until trials can run there; infinite where they cannot.
    """
    if change.placement.probability >= AIM:
        return _confirm(change, column, costs_s, n_trials)
    possible = np.isfinite(costs_s)
    if change.no_change >= NO_CHANGE_AIM:
        # Whoever names two ends wants them measured, however little hides behind them.
        ends = np.flatnonzero(possible | change.is_measured)[[0, -1]]
        return next(
            (Step(int(end), END_TRIALS) for end in ends if not change.is_measured[end]), None
        )
    information = change.expect_information(column, n_trials)
    information[~possible] = 0.0
    # A commit with trials gets half as many again at least: fewer would hardly say more.
    information[2 * np.asarray(n_trials) < change.trials[:, column, None]] = 0.0
    seconds = np.asarray(costs_s, dtype=float)[:, None] + trial_s * np.asarray(n_trials)
    if information.max() < MIN_INFORMATION_BITS:
        return None
    index, number = np.unravel_index(np.argmax(information / seconds), information.shape)
    return Step(int(index), int(n_trials[int(number)]))


def _confirm(
    change: SingleChange, column: int, costs_s: Sequence[float] | Floats, n_trials: Sequence[int]
) -> Step | None:
    """Return further trials at a silent commit next to the change; None if all have enough.

    Trials cost little there, as it is built. Where rates vary much, several commits may have been
    silent by chance one after another.
    """
    numbers = [number for number in n_trials if number <= MAX_CONFIRMING_TRIALS]
    wanted = next(
        (number for number in numbers if change.find_silence(column, number) <= MAX_SILENCE),
        numbers[-1],
    )
    place = change.placement
    measured = np.flatnonzero(change.is_measured)
    before, behind = measured[measured < place.at], measured[measured >= place.at]
    silent = before[::-1] if place.kind is ChangeKind.APPEARED else behind
    for index in silent[:N_CONFIRMED]:
        n_more = wanted - int(change.trials[index, column])
        if n_more > 0 and not change.is_decided[index] and np.isfinite(costs_s[index]):
            return Step(int(index), n_more)
    return None
