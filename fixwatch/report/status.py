"""The fix status: series put into the document that people and programs read.

The document has the form that ``html/fix-status.json`` promises, format version 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from fixwatch.history.listing import ListedCommit
from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import Evidence
from fixwatch.statistics.binomial import interval
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.explorations import describe_exploration, find_printed
from fixwatch.verdicts.series import Series

FORMAT_VERSION = 1


def build_document(
    all_series: Sequence[Series], generated_at: datetime, order: RevisionOrder
) -> dict[str, Any]:
    """Return the document for ``fix-status.json``.

    The moment is in UTC; the order says whether two revisions of a transition are neighbours.
    """
    return {
        "version": FORMAT_VERSION,
        "generated_at": generated_at.isoformat(timespec="seconds"),
        "upstreams": [_describe_series(series, order) for series in all_series],
    }


def _describe_series(series: Series, order: RevisionOrder) -> dict[str, Any]:
    state = series.state

    def revision(index: int | None) -> dict[str, Any] | None:
        return None if index is None else _describe_revision(series.revisions[index].record)

    return {
        **asdict(series.key),
        "role": series.role,
        "state": state.state.value,
        "since": revision(state.since),
        "fixed_in": revision(state.fixed_in),
        "last_affected": revision(state.last_affected),
        "confidence": state.confidence,
        "transitions": [
            {
                "kind": change.kind.value,
                "after": revision(change.after),
                "at": revision(change.at),
                # In one place, and with nothing between its sides.
                "exact": len(change.places) == 1
                and order.are_neighbours(
                    series.revisions[change.after].record, series.revisions[change.at].record
                ),
                "confidence": change.probability,
                "places": [revision(place) for place in change.places],
            }
            for change in series.history.changes
        ],
        "unmeasured": [_describe_revision(commit) for commit in series.unmeasured],
        "measurements": [_describe_measurement(found) for found in series.measurements],
    }


def _describe_revision(revision: Evidence | ListedCommit) -> dict[str, Any]:
    return {"commit": revision.commit, "name": revision.name, "date": revision.date}


def _describe_measurement(measurement: Measurement) -> dict[str, Any]:
    counts, batch = measurement.counts, measurement.batch
    printed = batch.printed if batch else None
    ran = find_printed(batch) if batch else None
    low, high = interval(counts) if counts else (None, None)
    explored = {
        "space": asdict(printed.space) if printed and printed.space else None,
        "first_failure_schedule": printed.first_failure_schedule if printed else None,
        "text": describe_exploration(batch) if batch else None,
    }
    return {
        "revision": _describe_revision(measurement.record),
        "schedule": measurement.schedule,
        "trials": ran.trials if ran else None,
        "failures": ran.failures if ran else None,
        "failures_by_mode": dict(printed.failures_by_mode) if printed else {},
        "early_return_failures": printed.early_return_failures if printed else None,
        "attributes": dict(printed.attributes) if printed else {},
        "seed": printed.seed if printed else None,
        "packages": measurement.record.packages,
        "measured_at": measurement.record.measured_at,
        "rate_low": low,
        "rate_high": high,
        "verdict": measurement.judgement.verdict.value,
        "reason": measurement.judgement.reason,
        **(explored if batch and batch.is_exploration else {}),
    }
