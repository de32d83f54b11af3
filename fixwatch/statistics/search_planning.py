"""What to measure next when a build takes a minute and a trial milliseconds.

Each possible step, so many trials at one commit, is worth the information that it is expected to
bring for its cost; the best one is taken, and afterwards everything is weighed anew. So a commit
that has been built is used for as long as its trials say more a second than another build would,
and left as soon as it has spoken.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from fixwatch.statistics.change_points import Floats
from fixwatch.statistics.single_change import SingleChange
from fixwatch.statistics.states import MIN_PROBABILITY

# Further trials to choose from; each about three times as many as the one before.
TRIALS = (10, 30, 100, 300, 1000, 3000)
# Once the answer can be stated, the search goes on up to here: what is left costs trials, hardly
# builds, and an error in a hundred is more than needs to be.
AIM = 0.999
# The same where there is no change; the rest is for ends that do not speak.
NO_CHANGE_AIM = 0.995
# For an end of the range that nothing else calls for.
END_TRIALS = 100
# A step that is expected to say less is not worth taking, whatever it costs.
MIN_INFORMATION_BITS = 1e-3


class Answer(str, Enum):
    """What a search ends with."""

    FOUND = "found"
    NO_CHANGE = "no-change"
    NOT_DECIDED = "not-decided"


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds that a step takes.

    Attributes
    ----------
    build_s
        To build a commit.
    visit_s
        To install what is built, and start measuring.
    trial_s
        A trial.
    """

    build_s: float
    visit_s: float
    trial_s: float


@dataclass(frozen=True)
class Step:
    """So many further trials at the commit of an index."""

    index: int
    n_trials: int


def find_answer(change: SingleChange, unmeasurable: Collection[int] = ()) -> Answer:
    """Return what can be stated with a probability of at least `MIN_PROBABILITY`.

    That there is no change needs trials at both ends of the range, or at the commits nearest to
    them that can be measured.
    """
    if change.placement.probability >= MIN_PROBABILITY:
        return Answer.FOUND
    ends = [index for index in range(change.n_commits) if index not in unmeasurable]
    has_ends = bool(ends) and change.is_measured[ends[0]] and change.is_measured[ends[-1]]
    if change.no_change >= MIN_PROBABILITY and has_ends:
        return Answer.NO_CHANGE
    return Answer.NOT_DECIDED


def choose_step(
    change: SingleChange,
    column: int,
    costs_s: Sequence[float] | Floats,
    trial_s: float,
    n_trials: Sequence[int] = TRIALS,
) -> Step | None:
    """Choose the step that brings most information a second; None if none brings any.

    Parameters
    ----------
    change
        What is known.
    column
        The way of measuring, by its index.
    costs_s
        By commit, what it takes until trials can run there; infinite where they cannot.
    trial_s
        What a trial takes.
    n_trials
        Numbers of trials to choose from.
    """
    if change.placement.probability >= AIM:
        return None
    possible = np.isfinite(costs_s)
    if change.no_change >= NO_CHANGE_AIM:
        # Whoever names two ends wants them measured, however little hides behind them.
        ends = np.flatnonzero(possible | change.is_measured)[[0, -1]]
        return next(
            (Step(int(end), END_TRIALS) for end in ends if not change.is_measured[end]), None
        )
    information = change.expect_information(column, n_trials)
    information[~possible] = 0.0
    seconds = np.asarray(costs_s, dtype=float)[:, None] + trial_s * np.asarray(n_trials)
    if information.max() < MIN_INFORMATION_BITS:
        return None
    index, number = np.unravel_index(np.argmax(information / seconds), information.shape)
    return Step(int(index), int(n_trials[int(number)]))
