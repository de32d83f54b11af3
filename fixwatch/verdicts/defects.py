"""What is known of each defect on each upstream, from the series of its workloads.

The one place that decides it; page, status, feed, badges and pin advice read it::

    series of a history -- find_verdicts() --> DefectHistory    one workload speaks for a defect
    histories of an upstream                   DefectVerdict    one history speaks for an upstream
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.states import WORST_FIRST, State
from fixwatch.verdicts.targets import SIMULATOR, rank_target
from mwe.defects import DEFAULT_WORKLOADS, DEFECTS, WORKLOADS

# Which workload speaks for a defect in a history. One that fails is enough; that a defect is gone,
# or was never there, is stated only where every workload that was run says so, and the one that
# stands for the defect was run.
_SPEAKS_FIRST = (
    State.AFFECTED,
    State.INCONCLUSIVE,
    State.FIXED,
    State.NEVER_OBSERVED,
    State.NOT_RUN,
)


@dataclass(frozen=True, kw_only=True)
class DefectHistory:
    """A defect along a history: what one source, machine and Python says of an upstream.

    Its state and its transitions are those of the workload that speaks for it.
    """

    speaker: Series
    differing: tuple[Series, ...]  # workloads of the defect that say something else

    @property
    def state(self) -> State:
        """What the history says of the defect.

        Where the speaker was not run, the others cannot do without it.
        """
        state = self.speaker.state.state
        return State.INCONCLUSIVE if state is State.NOT_RUN and self.differing else state


@dataclass(frozen=True, kw_only=True)
class DefectVerdict:
    """What is known of a defect on an upstream, in one target."""

    upstream: str
    target: str
    # None for the workloads of defects that cannot be there: any failure of one counts.
    defect: str | None
    histories: tuple[DefectHistory, ...]  # the one that speaks first; none where none was measured

    @cached_property
    def state(self) -> State:
        """What the history that speaks says."""
        return self.histories[0].state if self.histories else State.NOT_RUN

    @property
    def speaker(self) -> Series | None:
        """The series that all of it rests on; None where nothing was measured."""
        return self.histories[0].speaker if self.histories else None


def list_defects(target: str, found: Iterable[str] = ()) -> list[str]:
    """Return the defects that are looked for in a target, then others that were found recorded."""
    known = [name for name, defect in DEFECTS.items() if target in defect.targets]
    return [*known, *sorted(set(found).difference(known))]


def find_verdicts(all_series: Sequence[Series]) -> list[DefectVerdict]:
    """Return what is known of each defect on each upstream that was measured, simulator first.

    They are in the order of the defects, then of the upstreams. A defect that is looked for and
    was not measured on an upstream has a verdict without a history.
    """
    grouped: dict[tuple[str, str], list[Series]] = defaultdict(list)
    for series in all_series:
        if series.role == WORKLOAD:
            grouped[series.key.target, series.key.upstream].append(series)
    verdicts = []
    for target in sorted({target for target, _ in grouped}, key=rank_target):
        places = {upstream: own for (of, upstream), own in sorted(grouped.items()) if of == target}
        found = {series.defect for own in places.values() for series in own}
        own_defects = list_defects(target, found)
        others: list[str | None] = []
        if target != SIMULATOR:
            # The simulator's have none there: their workloads are right programs like any other.
            own_defects = [name for name in list_defects(target) if name in found]
            others = [None]
        verdicts += [
            DefectVerdict(
                upstream=upstream,
                target=target,
                defect=defect,
                histories=_find_histories(
                    [
                        series
                        for series in own
                        if defect == (series.defect if series.defect in own_defects else None)
                    ]
                ),
            )
            for defect in [*others, *own_defects]
            for upstream, own in places.items()
        ]
    return verdicts


def _find_histories(all_series: Iterable[Series]) -> tuple[DefectHistory, ...]:
    """Return the histories of a defect on an upstream, the one that speaks for it first.

    That is the worst that is known, and one that says nothing only where nothing is known. Of
    equals it is the one that knows most released versions, so that a machine that has just begun
    hides nothing; of these that of releases, which names a version that can be installed.
    """
    grouped: dict[tuple[str, str, str], list[Series]] = defaultdict(list)
    for series in all_series:
        grouped[series.key.source, series.key.machine, series.key.python].append(series)
    histories = [_choose_speaker(own) for _, own in sorted(grouped.items())]
    return tuple(
        sorted(
            histories,
            key=lambda history: (
                WORST_FIRST.index(history.state),
                -_count_released(history.speaker),
                history.speaker.key.source != "releases",
            ),
        )
    )


def _count_released(series: Series) -> int:
    """Return of how many released versions a series decides something."""
    decided = [found.record for found in series.revisions if found.verdict.is_decided]
    return len({record.version for record in decided if record.version is not None})


def _choose_speaker(all_series: Sequence[Series]) -> DefectHistory:
    speaker = min(all_series, key=_rank)
    said = _summarise(speaker)
    return DefectHistory(
        speaker=speaker,
        differing=tuple(series for series in all_series if _summarise(series) != said),
    )


def _rank(series: Series) -> tuple[int, int, int, str]:
    """Sort the series first that speaks for a defect.

    Of several that are affected it is the one that was so first, of several that are fixed the one
    that was so last; where they agree it is the defect's first workload.
    """
    state, change = _summarise(series)
    workloads = list(WORKLOADS)
    name = series.key.workload
    weight = state
    if state is State.NOT_RUN and name in DEFAULT_WORKLOADS:
        weight = State.INCONCLUSIVE
    elif all(
        found.can_be_left_out or found.verdict is Verdict.NOT_RUN for found in series.revisions
    ):
        weight = State.NOT_RUN
    return (
        _SPEAKS_FIRST.index(weight),
        -change if state is State.FIXED else change,
        workloads.index(name) if name in workloads else len(workloads),
        name,
    )


def _summarise(series: Series) -> tuple[State, int]:
    """Return a series' state, and the revision that it began with; -1 where no change is known."""
    state, changes = series.state, series.history.changes
    if state.state in (State.AFFECTED, State.FIXED) and state.since is not None and changes:
        return state.state, state.since
    return state.state, -1
