"""The fix status: evidence grouped into series, judged, and put into the document people read.

The document has the form that ``html/fix-status.json`` promises, format version 1.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fixwatch.evidence import BatchEvidence, Evidence
from fixwatch.history.listing import ListedCommit
from fixwatch.history.order import RevisionOrder
from fixwatch.statistics.binomial import Counts, interval
from fixwatch.statistics.verdicts import (
    RACE_MODES,
    Change,
    Judgement,
    SeriesState,
    Verdict,
    combine_verdicts,
    derive_state,
    judge_batch,
)

FORMAT_VERSION = 1
WORKLOAD = "workload"
POSITIVE_CONTROL = "positive-control"
NEGATIVE_CONTROL = "negative-control"
FALLBACK_WORKLOAD = "local-array"


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
    """

    key: SeriesKey
    role: str
    revisions: tuple[Evidence, ...]
    unmeasured: tuple[ListedCommit, ...]
    measurements: tuple[Measurement, ...]
    state: SeriesState

    def measurements_of(self, evidence: Evidence) -> list[Measurement]:
        """Return what was measured of one of the revisions."""
        return [each for each in self.measurements if each.evidence is evidence]


def count_batch(batch: BatchEvidence) -> Counts | None:
    """Return a batch's counts; None where it has no trial."""
    if batch.batch is None or not batch.batch["trials"]:
        return None
    return Counts(batch.batch["failures"], batch.batch["trials"])


def build_series(records: Iterable[Evidence], order: RevisionOrder) -> list[Series]:
    """Group records into series and judge each measurement.

    The rates at which affected revisions fail come from the same upstream; where it has none,
    from any upstream measured the same way on the same machine.
    """
    judged_records = _keep_newest_version(list(records))
    roles = {batch.workload: batch.role for record in judged_records for batch in record.batches}
    # Where no environment could even say what was planned, there is still something to answer.
    roles = roles or {FALLBACK_WORKLOAD: WORKLOAD}
    references = _collect_affected(judged_records)
    grouped: dict[SeriesKey, list[Evidence]] = defaultdict(list)
    for record in judged_records:
        for workload in roles:
            grouped[_key_of(record, workload)].append(record)
    series = []
    for key, group in sorted(grouped.items()):
        revisions = tuple(sorted(group, key=order.find_place))
        measurements = tuple(
            measurement
            for record in revisions
            for measurement in _measure(record, key, roles, references)
        )
        verdicts = [
            combine_verdicts(
                [
                    each.judgement.verdict
                    for each in measurements
                    if each.evidence is record and each.decides
                ]
            )
            if order.is_on_branch(record)
            # What was made beside the branch says nothing of when the branch changed.
            else Verdict.INCONCLUSIVE
            for record in revisions
        ]
        series.append(
            Series(
                key=key,
                role=roles[key.workload],
                revisions=revisions,
                unmeasured=order.find_unmeasured(
                    key.upstream, key.source, [record.commit for record in revisions]
                ),
                measurements=measurements,
                state=derive_state(verdicts),
            )
        )
    return series


def _keep_newest_version(records: Sequence[Evidence]) -> list[Evidence]:
    """Leave out counts that mean something else than the newest ones of the same environment.

    A record in which nothing was counted has no version and stays.
    """

    def place(record: Evidence) -> tuple[str, ...]:
        return (record.source, record.target, record.machine, record.python)

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


def build_document(
    series: Sequence[Series], generated_at: datetime, order: RevisionOrder
) -> dict[str, Any]:
    """Return the document for ``fix-status.json``.

    Parameters
    ----------
    series
        As `build_series` returns them.
    generated_at
        In UTC.
    order
        Says whether the two revisions of a transition are neighbours.
    """
    return {
        "version": FORMAT_VERSION,
        "generated_at": generated_at.isoformat(timespec="seconds"),
        "upstreams": [_describe_series(each, order) for each in series],
    }


def state_confidence(series: Series) -> float | None:
    """Return the confidence of a series' state, None where it is not known.

    It is that of both sides of the change that the state rests on, else of the newest decided
    revision.
    """
    decided = [
        index
        for index, record in enumerate(series.revisions)
        if _best_judgement(series, record) is not None
    ]
    if not decided:
        return None
    state = series.state
    if state.fixed_in is not None and state.last_affected is not None:
        return _change_confidence(series, Change("fixed", state.last_affected, state.fixed_in))
    judgement = _best_judgement(series, series.revisions[decided[-1]])
    return judgement.confidence if judgement else None


def _collect_affected(
    records: Sequence[Evidence],
) -> dict[tuple[str, ...], list[tuple[str, Counts]]]:
    """Return, for each way of measuring, upstream and counts of the batches that show the race."""
    affected: dict[tuple[str, ...], list[tuple[str, Counts]]] = defaultdict(list)
    for record in records:
        for batch in record.batches:
            counts = count_batch(batch)
            if counts is None or batch.batch is None:
                continue
            if batch.role == WORKLOAD and _spoiled_by_controls(record, batch.schedule):
                continue
            if judge_batch(counts, batch.batch["failures_by_mode"], (), None).verdict is (
                Verdict.OBSERVED
            ):
                way = _way_of(record, batch.workload, batch.schedule)
                affected[way].append((record.upstream, counts))
                if batch.role == WORKLOAD:
                    any_workload = _way_of(record, "", batch.schedule)
                    affected[any_workload].append((record.upstream, counts))
    return affected


def _way_of(record: Evidence, workload: str, schedule: str) -> tuple[str, ...]:
    version = record.measurement_version or ""
    return (record.machine, record.python, record.target, version, workload, schedule)


def _measure(
    record: Evidence,
    key: SeriesKey,
    roles: Mapping[str, str],
    references: Mapping[tuple[str, ...], Sequence[tuple[str, Counts]]],
) -> Iterable[Measurement]:
    batches = [batch for batch in record.batches if batch.workload == key.workload]
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
        referred = "" if roles[key.workload] == NEGATIVE_CONTROL else key.workload
        known = references.get(_way_of(record, referred, batch.schedule), ())
        own = [counts for upstream, counts in known if upstream == record.upstream]
        affected = own or [counts for _, counts in known]
        yield Measurement(
            evidence=record,
            batch=batch,
            schedule=batch.schedule,
            judgement=_judge(record, batch, affected),
        )


def _judge(record: Evidence, batch: BatchEvidence, affected: Sequence[Counts]) -> Judgement:
    counts = count_batch(batch)
    if counts is None or batch.batch is None:
        stage = f"{batch.stage}: " if batch.stage else ""
        return Judgement(Verdict.NOT_RUN, reason=f"{stage}{batch.reason or 'no trial was run'}")
    negative = _pool_controls(record, batch.schedule) if batch.role == WORKLOAD else None
    judgement = judge_batch(counts, batch.batch["failures_by_mode"], affected, negative)
    spoiled = _spoiled_by_controls(record, batch.schedule) if batch.role == WORKLOAD else None
    if spoiled and judgement.verdict in (Verdict.OBSERVED, Verdict.NOT_OBSERVED):
        return Judgement(Verdict.INCONCLUSIVE, reason=spoiled)
    if batch.batch["status"] != "complete":
        return replace(judgement, reason=batch.batch["status"])
    return judgement


def _controls_of(record: Evidence, role: str, schedule: str) -> list[BatchEvidence]:
    """Return the controls of a schedule; one that has none of its own is checked by all."""
    controls = [batch for batch in record.batches if batch.role == role]
    return [batch for batch in controls if batch.schedule == schedule] or controls


def _pool_controls(record: Evidence, schedule: str) -> Counts | None:
    pooled = [
        counts
        for batch in _controls_of(record, NEGATIVE_CONTROL, schedule)
        if (counts := count_batch(batch)) is not None
    ]
    if not pooled:
        return None
    return Counts(sum(c.n_failures for c in pooled), sum(c.n_trials for c in pooled))


def _spoiled_by_controls(record: Evidence, schedule: str) -> str | None:
    """Say why the controls of a run forbid to believe a schedule; None where they behaved.

    A positive control has to fail with the race's signature: one that only crashes shows nothing.
    """
    for role in (POSITIVE_CONTROL, NEGATIVE_CONTROL):
        controls = _controls_of(record, role, schedule)
        if not controls:
            return f"does not count: no {role} was part of the run"
        for batch in controls:
            counts = count_batch(batch)
            if counts is None or batch.batch is None:
                return f"does not count: the {role} {batch.workload} was not run"
            n_race = sum(batch.batch["failures_by_mode"].get(mode, 0) for mode in RACE_MODES)
            if role == POSITIVE_CONTROL and not n_race:
                return (
                    f"does not count: the positive control {batch.workload} did not fail in "
                    f"{counts.n_trials} trials of the same run"
                )
            if role == NEGATIVE_CONTROL and counts.n_failures:
                return (
                    f"does not count: the negative control {batch.workload} failed in "
                    f"{counts.n_failures} of {counts.n_trials} trials of the same run"
                )
    return None


def _key_of(record: Evidence, workload: str) -> SeriesKey:
    return SeriesKey(
        upstream=record.upstream,
        source=record.source,
        target=record.target,
        machine=record.machine,
        python=record.python,
        workload=workload,
    )


def _best_judgement(series: Series, record: Evidence) -> Judgement | None:
    """Return the judgement that decides a revision; None where none does."""
    judgements = [each.judgement for each in series.measurements_of(record) if each.decides]
    verdict = combine_verdicts([judgement.verdict for judgement in judgements])
    if verdict not in (Verdict.OBSERVED, Verdict.NOT_OBSERVED):
        return None
    deciding = [judgement for judgement in judgements if judgement.verdict is verdict]
    return max(deciding, key=lambda judgement: judgement.confidence or 0.0)


def _change_confidence(series: Series, change: Change) -> float | None:
    sides = [_best_judgement(series, series.revisions[i]) for i in (change.after, change.at)]
    confidences = [side.confidence for side in sides if side is not None]
    if len(confidences) < 2 or None in confidences:
        return None
    return min(confidence for confidence in confidences if confidence is not None)


def _describe_series(series: Series, order: RevisionOrder) -> dict[str, Any]:
    state = series.state

    def revision(index: int | None) -> dict[str, Any] | None:
        return None if index is None else _describe_revision(series.revisions[index])

    return {
        "upstream": series.key.upstream,
        "source": series.key.source,
        "target": series.key.target,
        "machine": series.key.machine,
        "python": series.key.python,
        "workload": series.key.workload,
        "role": series.role,
        "state": state.state.value,
        "since": revision(state.since),
        "fixed_in": revision(state.fixed_in),
        "last_affected": revision(state.last_affected),
        "confidence": state_confidence(series),
        "transitions": [
            {
                "kind": change.kind,
                "after": revision(change.after),
                "at": revision(change.at),
                "exact": order.are_neighbours(
                    series.revisions[change.after], series.revisions[change.at]
                ),
                "confidence": _change_confidence(series, change),
            }
            for change in state.changes
        ],
        "unmeasured": [
            {"commit": each.commit, "name": each.name, "date": each.date}
            for each in series.unmeasured
        ],
        "measurements": [_describe_measurement(each) for each in series.measurements],
    }


def _describe_revision(record: Evidence) -> dict[str, Any]:
    return {"commit": record.commit, "name": record.name, "date": record.date}


def _describe_measurement(measurement: Measurement) -> dict[str, Any]:
    counts = measurement.counts
    batch = measurement.batch.batch if measurement.batch else None
    low, high = interval(counts) if counts else (None, None)
    return {
        "revision": _describe_revision(measurement.evidence),
        "schedule": measurement.schedule,
        "trials": counts.n_trials if counts else None,
        "failures": counts.n_failures if counts else None,
        "failures_by_mode": dict(batch["failures_by_mode"]) if batch else {},
        "early_return_failures": batch["early_return_failures"] if batch else None,
        "attributes": dict(batch["attributes"]) if batch else {},
        "seed": batch["seed"] if batch else None,
        "packages": measurement.evidence.packages,
        "measured_at": measurement.evidence.measured_at,
        "rate_low": low,
        "rate_high": high,
        "verdict": measurement.judgement.verdict.value,
        "reason": measurement.judgement.reason,
    }
