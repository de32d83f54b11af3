"""From the counts along a history to its state, and to the changes that it rests on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from fixwatch.statistics.binomial import Counts
from fixwatch.statistics.change_points import (
    MIN_PROBABILITY,
    Change,
    ChangeKind,
    find_change_points,
)
from fixwatch.verdicts.judgements import Judgement, Verdict
from fixwatch.verdicts.targets import SIMULATOR, find_trial_kind

# Half of the series of an upstream have the same counts: of workloads that never fail.
_find_once = cache(find_change_points)


class State(str, Enum):
    """What a series says of an upstream, the worst first."""

    AFFECTED = "affected"
    FIXED = "fixed"
    NEVER_OBSERVED = "never-observed"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not-run"


# Which of several states of an upstream speaks for it: the worst that is known, and one that says
# nothing only where nothing is known.
WORST_FIRST = tuple(State)


@dataclass(frozen=True)
class History:
    """What the counts along a history say, by the indices of its revisions."""

    affected: tuple[float | None, ...]  # with this probability; None where it does not count
    changes: tuple[Change, ...] = ()  # those that are sure enough, oldest first

    @property
    def counted(self) -> list[int]:
        """The revisions that count."""
        return [index for index, odds in enumerate(self.affected) if odds is not None]

    def is_affected(self, index: int) -> bool:
        """Whether a revision is surely affected."""
        return (self.affected[index] or 0.0) >= MIN_PROBABILITY


def analyse_history(revisions: Sequence[Mapping[str, Counts]], target: str = SIMULATOR) -> History:
    """Find what the counts along a history say, oldest revision first.

    A revision has failures with the signature by schedule, whose name may follow that of a machine
    and a space; an exploration is one trial. It has none where it says nothing of the history:
    nothing ran, a control misbehaved, or it was made beside the branch.
    """
    counted = [index for index, counts in enumerate(revisions) if counts]
    schedules = sorted({name for counts in revisions for name in counts})
    rows = [[revisions[index].get(name) for name in schedules] for index in counted]
    found = _find_once(
        tuple(tuple(counts.n_failures if counts else 0 for counts in row) for row in rows),
        tuple(tuple(counts.n_trials if counts else 0 for counts in row) for row in rows),
        tuple(find_trial_kind(target, name.rpartition(" ")[2]) for name in schedules),
    )
    affected: list[float | None] = [None] * len(revisions)
    for index, probability in zip(counted, found.affected, strict=True):
        affected[index] = probability
    changes = tuple(
        replace(
            change,
            after=counted[change.after],
            at=counted[change.at],
            places=tuple(counted[place] for place in change.places),
        )
        for change in found.changes
        if change.probability >= MIN_PROBABILITY
    )
    return History(tuple(affected), changes)


@dataclass(frozen=True)
class SeriesState:
    """The state of a series and the indices of the revisions that it rests on."""

    state: State
    confidence: float | None = None  # in [0, 1]; None where there is nothing to be sure of
    since: int | None = None
    fixed_in: int | None = None
    last_affected: int | None = None


def derive_state(history: History, judgements: Sequence[Judgement]) -> SeriesState:
    """Derive the state of a series.

    The newest revision that counts decides, by the probability that it is affected given the whole
    series. What was sure before stays as long as it is the likelier, so that a stray count neither
    opens nor closes anything. That nothing was ever observed is stated only if the newest
    revision's judgement, over all schedules, says that an affected one would have failed.
    """
    counted = history.counted
    if not counted:
        undecided = any(judgement.verdict is not Verdict.NOT_RUN for judgement in judgements)
        return SeriesState(State.INCONCLUSIVE if undecided else State.NOT_RUN)
    newest = history.affected[counted[-1]] or 0.0
    last_change = history.changes[-1] if history.changes else None
    is_fix = last_change is not None and last_change.kind is ChangeKind.FIXED
    was_affected = any(map(history.is_affected, counted))
    if newest >= MIN_PROBABILITY or (newest > 0.5 and was_affected and not is_fix):
        first = last_change.at if last_change else counted[0]
        later = (index for index in counted if index >= first and history.is_affected(index))
        return SeriesState(State.AFFECTED, newest, since=next(later, first))
    if newest > 0.5:
        return SeriesState(State.INCONCLUSIVE)
    if last_change and is_fix:
        return SeriesState(
            State.FIXED,
            min(last_change.probability, 1 - newest),
            since=last_change.at,
            fixed_in=last_change.at,
            last_affected=last_change.after,
        )
    was_observed = any(judgement.verdict is Verdict.OBSERVED for judgement in judgements)
    judgement = judgements[counted[-1]]
    if (
        judgement.verdict is Verdict.NOT_OBSERVED
        and not was_observed
        and not was_affected
        and not last_change
    ):
        return SeriesState(State.NEVER_OBSERVED, judgement.confidence)
    return SeriesState(State.INCONCLUSIVE)
