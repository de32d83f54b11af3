"""Records grouped into series along an upstream's history, and judged."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from fixwatch.history.listing import ListedCommit
from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import Evidence
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.assessment import Assessment, JudgedRevision, Measurement, assess
from fixwatch.verdicts.controls import NEGATIVE_CONTROL, WORKLOAD
from fixwatch.verdicts.judgements import SAYS_MOST_FIRST
from fixwatch.verdicts.states import History, SeriesState, analyse_history, derive_state
from mwe.defects import DEFAULT_WORKLOAD, find_defect

FALLBACK_WORKLOAD = DEFAULT_WORKLOAD
# Counts of surely affected revisions, by what they were measured with, then by upstream.
_Rates = dict[tuple[str | None, ...], dict[str, Counter[Counts]]]


@dataclass(frozen=True, order=True)
class SeriesKey:
    """What a history is of; nothing is pooled across it."""

    upstream: str
    source: str
    target: str
    machine: str  # the names of all machines that measured some of it
    python: str
    workload: str


@dataclass(frozen=True)
class _Revision:
    """What was measured of a revision, on one machine or several."""

    assessments: tuple[Assessment, ...]  # the greatest rank of the record first

    @property
    def record(self) -> Evidence:
        """One of the records, all of which say the same of the revision itself."""
        return self.assessments[0].record

    def judge(
        self, workload: str, find_rates: Callable[[Evidence, str], Collection[Counts]]
    ) -> JudgedRevision:
        """Judge the record that speaks for the revision.

        That is the one that says most, so that one which measured little takes nothing back: an
        observation, then silence that is worth something. Of these it is the fullest one that is
        complete. `find_rates` returns for a record and schedule what its silence is measured by.
        """
        judged = [
            assessment.judge(workload, partial(find_rates, assessment.record))
            for assessment in self.assessments
        ]
        return min(
            judged,
            key=lambda found: (
                SAYS_MOST_FIRST.index(found.verdict),
                not found.record.is_complete,
            ),
        )

    def count_for_history(self, workload: str) -> dict[str, Counts]:
        """Return what it brings to its history, by machine and schedule, as an assessment does.

        Each machine has rates of its own, so a fix is seen on one that measured what was before it.
        """
        return {
            f"{assessment.record.machine} {schedule}": counts
            for assessment in self.assessments
            for schedule, counts in assessment.count_for_history(workload).items()
        }


@dataclass(frozen=True, kw_only=True)
class Series:
    """The measurements of a workload along an upstream's history, oldest revision first."""

    key: SeriesKey
    defect: str
    role: str
    revisions: tuple[JudgedRevision, ...]
    unmeasured: tuple[ListedCommit, ...]  # relevant commits of which there is no record
    history: History  # which revisions are affected, and where that changes
    # Of each of these changes whether it is in one place, with nothing between its sides.
    exact: tuple[bool, ...]
    state: SeriesState

    @property
    def measurements(self) -> list[Measurement]:
        """All that was measured, oldest revision first."""
        return [measured for revision in self.revisions for measured in revision.measurements]

    def find(self, record: Evidence) -> JudgedRevision | None:
        """Return what a record of the series was judged to be."""
        return next((found for found in self.revisions if found.record is record), None)


def build_series(records: Iterable[Evidence], order: RevisionOrder) -> list[Series]:
    """Group records into series, judge each measurement, and derive each series' state.

    A record is assessed once. Its counts make histories; the histories say which revisions are
    surely affected; how often those fail says what the silence of the others is worth.
    """
    assessments = [assess(record) for record in keep_newest_version(list(records))]
    batches = [batch for assessment in assessments for batch in assessment.record.batches]
    roles = {batch.workload: batch.role for batch in batches}
    defects = {batch.workload: batch.defect for batch in batches}
    # Where no environment could even say what was planned, there is still something to answer.
    roles = roles or {FALLBACK_WORKLOAD: WORKLOAD}
    defects = defects or {FALLBACK_WORKLOAD: find_defect(FALLBACK_WORKLOAD).name}
    grouped = _group(assessments, roles, order)
    histories = {
        key: analyse_history(
            [
                revision.count_for_history(key.workload)
                if order.is_on_branch(revision.record)
                else {}
                for revision in revisions
            ],
            key.target,
        )
        for key, revisions in grouped.items()
    }
    rates = _collect_rates(grouped, histories, roles, defects)
    return [
        _build_one(
            key,
            revisions,
            histories[key],
            defects[key.workload],
            roles[key.workload],
            rates,
            order,
        )
        for key, revisions in grouped.items()
    ]


def _group(
    assessments: Sequence[Assessment], workloads: Iterable[str], order: RevisionOrder
) -> dict[SeriesKey, list[_Revision]]:
    """Group what belongs to a history, oldest revision first, whichever machine measured it.

    A history has the workloads that ran once in it; if none ever did, the fallback.
    """
    histories: dict[tuple[str, ...], dict[str, list[Assessment]]] = defaultdict(dict)
    for assessment in sorted(assessments, key=lambda a: order.find_place(a.record)):
        record = assessment.record
        place = (record.upstream, record.source, record.target, record.python)
        histories[place].setdefault(record.commit, []).append(assessment)
    grouped = {}
    for (upstream, source, target, python), by_commit in histories.items():
        revisions = [
            _Revision(tuple(sorted(own, key=lambda one: one.record.rank, reverse=True)))
            for own in by_commit.values()
        ]
        records = [found.record for revision in revisions for found in revision.assessments]
        machines = ", ".join(sorted({record.machine for record in records}))
        own = {batch.workload for record in records for batch in record.batches}
        for workload in workloads:
            if workload in (own or {FALLBACK_WORKLOAD}):
                key = SeriesKey(upstream, source, target, machines, python, workload)
                grouped[key] = revisions
    return dict(sorted(grouped.items()))


def _build_one(
    key: SeriesKey,
    found: Sequence[_Revision],
    history: History,
    defect: str,
    role: str,
    rates: _Rates,
    order: RevisionOrder,
) -> Series:
    # Controls have no failure rate of their own; that of the defect's workloads is used.
    referred = _name_all_workloads(defect) if role == NEGATIVE_CONTROL else key.workload
    revisions = tuple(
        revision.judge(
            key.workload,
            lambda record, schedule: _find_rates(rates, record, referred, schedule),
        )
        for revision in found
    )
    measured = [revision.record.commit for revision in found]
    return Series(
        key=key,
        defect=defect,
        role=role,
        revisions=revisions,
        unmeasured=order.find_unmeasured(key.upstream, key.source, measured, key.target),
        history=history,
        exact=tuple(
            len(change.places) == 1
            and order.are_neighbours(revisions[change.after].record, revisions[change.at].record)
            for change in history.changes
        ),
        state=derive_state(history, [revision.judgement for revision in revisions]),
    )


def _collect_rates(
    grouped: Mapping[SeriesKey, Sequence[_Revision]],
    histories: Mapping[SeriesKey, History],
    roles: Mapping[str, str],
    defects: Mapping[str, str],
) -> _Rates:
    """Collect how often affected revisions fail.

    A stray failure of a revision that the history takes for clean is none.
    """
    rates: _Rates = defaultdict(lambda: defaultdict(Counter))
    for key, revisions in grouped.items():
        is_workload = roles[key.workload] == WORKLOAD
        workloads = [key.workload]
        if is_workload:
            workloads.append(_name_all_workloads(defects[key.workload]))
        affected = [
            assessment
            for index, revision in enumerate(revisions)
            if histories[key].is_affected(index)
            for assessment in revision.assessments
        ]
        for assessment in affected:
            for schedule, counts in assessment.count_for_history(key.workload).items():
                if not counts.n_failures:
                    continue
                for workload in workloads:
                    setup = _find_setup(assessment.record, workload, schedule)
                    rates[setup][key.upstream][counts] += 1
    return rates


def _name_all_workloads(defect: str) -> str:
    return f"all of {defect}"


def _find_rates(
    rates: _Rates, record: Evidence, workload: str, schedule: str
) -> Collection[Counts]:
    """Return the counts that the silence of a revision is measured by.

    They are of the same upstream; where it has none, of any upstream measured the same way on
    the same machine.
    """
    by_upstream = rates.get(_find_setup(record, workload, schedule), {})
    return by_upstream.get(record.upstream) or sum(by_upstream.values(), Counter())


def _find_setup(record: Evidence, workload: str, schedule: str) -> tuple[str | None, ...]:
    version = record.measurement_version
    return (record.machine, record.python, record.target, version, workload, schedule)


def keep_newest_version(records: Sequence[Evidence]) -> list[Evidence]:
    """Leave out counts that mean something else than the newest ones of the same environment.

    A record in which nothing was counted has no version and stays.
    """
    newest: dict[tuple[str, ...], int] = {}
    for record in records:
        place = _place_of(record)
        newest[place] = max(int(record.measurement_version or 0), newest.get(place, 0))
    return [
        record
        for record in records
        if record.measurement_version is None
        or int(record.measurement_version) == newest[_place_of(record)]
    ]


def _place_of(record: Evidence) -> tuple[str, str, str, str, str]:
    return (record.upstream, record.source, record.target, record.machine, record.python)
