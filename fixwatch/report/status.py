"""The fix status: series put into the document that people and programs read.

The document has the form that ``html/fix-status.json`` promises, format version 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import Evidence
from fixwatch.statistics.binomial import interval
from fixwatch.verdicts.series import Measurement, Series

FORMAT_VERSION = 1


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
        "confidence": state.confidence,
        "transitions": [
            {
                "kind": change.kind,
                "after": revision(change.after),
                "at": revision(change.at),
                # In one place, and with nothing between its sides.
                "exact": len(change.places) == 1
                and order.are_neighbours(
                    series.revisions[change.after], series.revisions[change.at]
                ),
                "confidence": change.confidence,
                "places": [revision(place) for place in change.places],
            }
            for change in series.history.changes
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
    batch = measurement.batch.printed if measurement.batch else None
    low, high = interval(counts) if counts else (None, None)
    return {
        "revision": _describe_revision(measurement.evidence),
        "schedule": measurement.schedule,
        "trials": counts.n_trials if counts else None,
        "failures": counts.n_failures if counts else None,
        "failures_by_mode": dict(batch.failures_by_mode) if batch else {},
        "early_return_failures": batch.early_return_failures if batch else None,
        "attributes": dict(batch.attributes) if batch else {},
        "seed": batch.seed if batch else None,
        "packages": measurement.evidence.packages,
        "measured_at": measurement.evidence.measured_at,
        "rate_low": low,
        "rate_high": high,
        "verdict": measurement.judgement.verdict.value,
        "reason": measurement.judgement.reason,
    }
