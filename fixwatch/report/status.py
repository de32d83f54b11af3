"""The fix status: series put into the document that people and programs read.

The document has the form that ``html/fix-status.json`` promises, see `fixwatch.report.document`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from fixwatch.history.listing import ListedCommit
from fixwatch.records.evidence import Evidence, ExploredSpace
from fixwatch.report.advice import describe_advice
from fixwatch.report.answer import describe_history
from fixwatch.report.document import (
    DefectEntry,
    FixStatus,
    MeasurementEntry,
    RevisionEntry,
    SeriesEntry,
    SpaceEntry,
    StateEntry,
)
from fixwatch.statistics.binomial import interval
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.defects import DefectVerdict, find_verdicts
from fixwatch.verdicts.explorations import describe_exploration, find_printed
from fixwatch.verdicts.pin_advice import UpstreamReleases
from fixwatch.verdicts.series import Series


def build_document(
    all_series: Sequence[Series],
    generated_at: datetime,
    advised: Iterable[UpstreamReleases],
    last_looked_at: datetime | None = None,
    tracker_problem: str | None = None,
) -> FixStatus:
    """Return the document for ``fix-status.json``.

    Moments are in UTC. What is advised is of the same series.
    """
    return {
        "version": 2,
        "generated_at": generated_at.isoformat(timespec="seconds"),
        "last_looked_at": (
            last_looked_at.isoformat(timespec="seconds") if last_looked_at else None
        ),
        "tracker_problem": tracker_problem,
        "upstreams": [_describe_series(series) for series in all_series],
        "defects": [_describe_defect(verdict) for verdict in find_verdicts(all_series)],
        "advice": [advice for upstream in advised for advice in describe_advice(upstream)],
    }


def _describe_defect(verdict: DefectVerdict) -> DefectEntry:
    return {
        "upstream": verdict.upstream,
        "target": verdict.target,
        "defect": verdict.defect,
        "state": verdict.state.value,
        "histories": [
            {
                "source": history.speaker.key.source,
                "machine": history.speaker.key.machine,
                "python": history.speaker.key.python,
                "workload": history.speaker.key.workload,
                **_describe_state(history.speaker),
                "text": describe_history(history),
            }
            for history in verdict.histories
        ],
    }


def _describe_series(series: Series) -> SeriesEntry:
    key = series.key
    return {
        "upstream": key.upstream,
        "source": key.source,
        "target": key.target,
        "machine": key.machine,
        "python": key.python,
        "workload": key.workload,
        "defect": series.defect,
        "role": series.role,
        **_describe_state(series),
        "unmeasured": [_describe_revision(commit) for commit in series.unmeasured],
        "measurements": [_describe_measurement(found) for found in series.measurements],
        "left_out": 0,
    }


def _describe_state(series: Series) -> StateEntry:
    state, records = series.state, [revision.record for revision in series.revisions]

    def revision(index: int | None) -> RevisionEntry | None:
        return None if index is None else _describe_revision(records[index])

    return {
        "state": state.state.value,
        "since": revision(state.since),
        "fixed_in": revision(state.fixed_in),
        "last_affected": revision(state.last_affected),
        "confidence": state.confidence,
        "transitions": [
            {
                "kind": change.kind.value,
                "after": _describe_revision(records[change.after]),
                "at": _describe_revision(records[change.at]),
                "exact": exact,
                "confidence": change.probability,
                "places": [_describe_revision(records[place]) for place in change.places],
            }
            for change, exact in zip(series.history.changes, series.exact, strict=True)
        ],
    }


def _describe_revision(revision: Evidence | ListedCommit) -> RevisionEntry:
    return {"commit": revision.commit, "name": revision.name, "date": revision.date}


def _describe_measurement(measurement: Measurement) -> MeasurementEntry:
    counts, batch = measurement.counts, measurement.batch
    printed = batch.printed if batch else None
    ran = find_printed(batch) if batch else None
    low, high = interval(counts) if counts else (None, None)
    entry: MeasurementEntry = {
        "revision": _describe_revision(measurement.record),
        "schedule": measurement.schedule,
        "trials": ran.trials if ran else None,
        "failures": ran.failures if ran else None,
        "failures_by_mode": dict(printed.failures_by_mode) if printed else {},
        "refusals": ran.refusals if ran else None,
        "early_return_failures": printed.early_return_failures if printed else None,
        "attributes": dict(printed.attributes) if printed else {},
        "seed": printed.seed if printed else None,
        "packages": dict(measurement.record.packages),
        "measured_at": measurement.record.measured_at,
        "rate_low": low,
        "rate_high": high,
        "verdict": measurement.judgement.verdict.value,
        "reason": measurement.judgement.reason,
    }
    if batch and batch.is_exploration:
        entry["space"] = _describe_space(printed.space if printed else None)
        entry["first_failure_schedule"] = printed.first_failure_schedule if printed else None
        entry["text"] = describe_exploration(batch)
    return entry


def _describe_space(space: ExploredSpace | None) -> SpaceEntry | None:
    if space is None:
        return None
    return {
        "schedules": space.schedules,
        "run": space.run,
        "exhausted": space.exhausted,
        "switches": space.switches,
        "threads": space.threads,
        "points": space.points,
    }
