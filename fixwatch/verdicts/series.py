"""Evidence grouped into series along an upstream's history, and judged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from fixwatch.history.listing import ListedCommit
from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.statistics.binomial import Counts
from fixwatch.statistics.states import History, SeriesState, analyse_history, derive_state
from fixwatch.verdicts.controls import (
    NEGATIVE_CONTROL,
    WORKLOAD,
    count_batch,
    describe_misbehaviour,
    pool_negative_controls,
)
from fixwatch.verdicts.judgements import Judgement, Verdict, combine_judgements, judge_batch
from fixwatch.verdicts.targets import SIMULATOR, count_shown, judge_on_device

FALLBACK_WORKLOAD = "local-array"

# By the way of measuring: upstream and counts of each batch of a revision that is surely affected.
References = Mapping[tuple[str, ...], Sequence[tuple[str, Counts]]]


@dataclass(frozen=True, kw_only=True, order=True)
class SeriesKey:
    """What measurements must share to be compared; nothing is pooled across it."""

    upstream: str
    source: str
    target: str
    machine: str
    python: str
    workload: str


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One revision under one schedule, judged."""

    evidence: Evidence
    batch: BatchEvidence | None
    schedule: str | None
    judgement: Judgement

    @property
    def counts(self) -> Counts | None:
        """Failures of trials; None where nothing ran."""
        return count_batch(self.batch) if self.batch else None

    @property
    def decides(self) -> bool:
        """Whether the revision's verdict rests on it; a failure counts under any schedule."""
        is_silent = self.counts is None or not self.counts.n_failures
        return self.batch is None or self.batch.decides or not is_silent


@dataclass(frozen=True, kw_only=True)
class Series:
    """The measurements of a workload along an upstream's history, oldest revision first.

    Attributes
    ----------
    unmeasured
        Relevant commits of which there is no record.
    history
        Which revisions are affected, and where that changes.
    """

    key: SeriesKey
    role: str
    revisions: tuple[Evidence, ...]
    unmeasured: tuple[ListedCommit, ...]
    history: History
    measurements: tuple[Measurement, ...]
    state: SeriesState

    def measurements_of(self, evidence: Evidence) -> list[Measurement]:
        """Return what was measured of one of the revisions."""
        return [each for each in self.measurements if each.evidence is evidence]


def build_series(records: Iterable[Evidence], order: RevisionOrder) -> list[Series]:
    """Group records into series, judge each measurement, and derive each series' state.

    The rates at which affected revisions fail come from the same upstream; where it has none,
    from any upstream measured the same way on the same machine.
    """
    kept = keep_newest_version(list(records))
    roles = {batch.workload: batch.role for record in kept for batch in record.batches}
    # Where no environment could even say what was planned, there is still something to answer.
    roles = roles or {FALLBACK_WORKLOAD: WORKLOAD}
    grouped: dict[SeriesKey, list[Evidence]] = defaultdict(list)
    for record in kept:
        for workload in roles:
            grouped[_key_of(record, workload)].append(record)
    for key in [key for key, group in grouped.items() if not _is_part_of(key.workload, group)]:
        del grouped[key]
    ordered = {
        key: tuple(sorted(group, key=order.find_place)) for key, group in sorted(grouped.items())
    }
    histories = {
        key: analyse_history(
            [
                count_for_history(record, key.workload) if order.is_on_branch(record) else {}
                for record in revisions
            ]
        )
        for key, revisions in ordered.items()
    }
    references = _collect_references(ordered, histories, roles)
    return [
        _build_one(key, revisions, histories[key], roles[key.workload], references, order)
        for key, revisions in ordered.items()
    ]


def _is_part_of(workload: str, group: Sequence[Evidence]) -> bool:
    """Whether a history has a workload: it ran once, or nothing ever did and it is the first."""
    workloads = {batch.workload for record in group for batch in record.batches}
    return workload in (workloads or {FALLBACK_WORKLOAD})


def _build_one(
    key: SeriesKey,
    revisions: tuple[Evidence, ...],
    history: History,
    role: str,
    references: References,
    order: RevisionOrder,
) -> Series:
    measurements = tuple(
        measurement
        for record in revisions
        for measurement in _measure(record, key.workload, role, references)
    )
    judged: dict[int, list[Judgement]] = defaultdict(list)
    for each in measurements:
        if each.decides:
            judged[id(each.evidence)].append(each.judgement)
    return Series(
        key=key,
        role=role,
        revisions=revisions,
        unmeasured=order.find_unmeasured(
            key.upstream, key.source, [record.commit for record in revisions]
        ),
        measurements=measurements,
        history=history,
        state=derive_state(
            history, [combine_judgements(judged[id(record)]) for record in revisions]
        ),
    )


def count_for_history(record: Evidence, workload: str) -> dict[str, Counts]:
    """Return what a revision brings to its history, by schedule; nothing if it is undecided.

    One failure of the kind that is looked for counts under any schedule. Silence counts only if
    every schedule that decides ran, with controls that behaved, and nothing failed otherwise.
    """
    counted = {}
    is_silent = True
    for batch in record.batches:
        if batch.workload != workload:
            continue
        counts, n_shown = count_batch(batch), count_shown(record, batch)
        is_spoiled = batch.role == WORKLOAD and describe_misbehaviour(
            record, batch.schedule, is_silent=not n_shown
        )
        is_clear = n_shown > 0 or (batch.decides and counts is not None and not counts.n_failures)
        if counts is not None and is_clear and not is_spoiled:
            counted[batch.schedule] = Counts(n_shown, counts.n_trials)
        elif batch.decides:
            is_silent = False
    shows = any(counts.n_failures for counts in counted.values())
    return counted if shows or is_silent else {}


def keep_newest_version(records: Sequence[Evidence]) -> list[Evidence]:
    """Leave out counts that mean something else than the newest ones of the same environment.

    A record in which nothing was counted has no version and stays.
    """

    def place(record: Evidence) -> tuple[str, ...]:
        return (record.upstream, record.source, record.target, record.machine, record.python)

    newest: dict[tuple[str, ...], int] = {}
    for record in records:
        version = int(record.measurement_version or 0)
        newest[place(record)] = max(version, newest.get(place(record), 0))
    return [
        record
        for record in records
        if record.measurement_version is None
        or int(record.measurement_version) == newest[place(record)]
    ]


def _collect_references(
    ordered: Mapping[SeriesKey, Sequence[Evidence]],
    histories: Mapping[SeriesKey, History],
    roles: Mapping[str, str],
) -> References:
    """Collect the batches that say how often an affected revision fails.

    A stray failure of a revision that the history takes for clean is none.
    """
    references: dict[tuple[str, ...], list[tuple[str, Counts]]] = defaultdict(list)
    for key, revisions in ordered.items():
        for index, record in enumerate(revisions):
            if not histories[key].is_affected(index):
                continue
            for schedule, counts in count_for_history(record, key.workload).items():
                if not counts.n_failures:
                    continue
                references[_way_of(record, key.workload, schedule)].append((key.upstream, counts))
                if roles[key.workload] == WORKLOAD:
                    references[_way_of(record, "", schedule)].append((key.upstream, counts))
    return references


def _way_of(record: Evidence, workload: str, schedule: str) -> tuple[str, ...]:
    version = record.measurement_version or ""
    return (record.machine, record.python, record.target, version, workload, schedule)


def _measure(
    record: Evidence, workload: str, role: str, references: References
) -> Iterable[Measurement]:
    batches = [batch for batch in record.batches if batch.workload == workload]
    if not batches:
        reason = record.not_run_reason or "this workload was not part of the run"
        yield Measurement(
            evidence=record,
            batch=None,
            schedule=None,
            judgement=Judgement(Verdict.NOT_RUN, reason=reason),
        )
    for batch in batches:
        # A negative control is as silent as it should be where a workload would have shown.
        referred = "" if role == NEGATIVE_CONTROL else workload
        known = references.get(_way_of(record, referred, batch.schedule), ())
        own = [counts for upstream, counts in known if upstream == record.upstream]
        affected = list(dict.fromkeys(own or [counts for _, counts in known]))
        yield Measurement(
            evidence=record,
            batch=batch,
            schedule=batch.schedule,
            judgement=_judge(record, batch, affected),
        )


def _judge(record: Evidence, batch: BatchEvidence, affected: Sequence[Counts]) -> Judgement:
    counts = count_batch(batch)
    if counts is None or batch.printed is None:
        stage = f"{batch.stage}: " if batch.stage else ""
        return Judgement(Verdict.NOT_RUN, reason=f"{stage}{batch.reason or 'no trial was run'}")
    negative = pool_negative_controls(record, batch.schedule) if batch.role == WORKLOAD else None
    modes = batch.printed.failures_by_mode
    if record.target == SIMULATOR:
        judgement = judge_batch(counts, modes, affected, negative)
    else:
        judgement = judge_on_device(counts, modes, negative)
    spoiled = None
    if batch.role == WORKLOAD:
        is_silent = not count_shown(record, batch)
        spoiled = describe_misbehaviour(record, batch.schedule, is_silent=is_silent)
    if spoiled and judgement.verdict in (Verdict.OBSERVED, Verdict.NOT_OBSERVED):
        return Judgement(Verdict.INCONCLUSIVE, reason=spoiled)
    if batch.printed.status != "complete":
        return replace(judgement, reason=batch.printed.status)
    return judgement


def _key_of(record: Evidence, workload: str) -> SeriesKey:
    return SeriesKey(
        upstream=record.upstream,
        source=record.source,
        target=record.target,
        machine=record.machine,
        python=record.python,
        workload=workload,
    )
