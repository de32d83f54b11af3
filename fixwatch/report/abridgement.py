"""The published document: the whole one is too long for a page that programs read at every run.

All states and changes are in it. Every measurement is, and what was not measured, of the workloads
that stand for their defects; of the others the measurements that the states rest on. What it takes
to run a batch again is in the whole document alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from fixwatch.report.document import FixStatus, MeasurementEntry, SeriesEntry
from mwe.defects import DEFAULT_WORKLOADS

_LEFT_OUT = frozenset(
    {
        *("packages", "seed", "attributes", "text", "measured_at"),
        *("refusals", "early_return_failures"),
    }
)
_RATE_DIGITS = 4


def abridge_document(document: FixStatus) -> FixStatus:
    """Return the document with what is left out counted in each series."""
    return {**document, "upstreams": [_abridge_series(entry) for entry in document["upstreams"]]}


def _abridge_series(entry: SeriesEntry) -> SeriesEntry:
    kept, unmeasured = entry["measurements"], entry["unmeasured"]
    if entry["workload"] not in DEFAULT_WORKLOADS:
        # The same as of every other workload of the history.
        unmeasured = []
        named = set(_iter_named(entry))
        kept = [item for item in kept if item["revision"]["commit"] in named]
    return {
        **entry,
        "unmeasured": unmeasured,
        "measurements": [_abridge_measurement(item) for item in kept],
        "left_out": len(entry["measurements"]) - len(kept),
    }


def _abridge_measurement(item: MeasurementEntry) -> MeasurementEntry:
    kept = {
        name: round(value, _RATE_DIGITS) if isinstance(value, float) else value
        for name, value in item.items()
        if name not in _LEFT_OUT
    }
    return cast("MeasurementEntry", kept)


def _iter_named(entry: SeriesEntry) -> Iterator[str]:
    """Yield the commits that a state rests on, and the newest one that was measured."""
    if entry["measurements"]:
        yield entry["measurements"][-1]["revision"]["commit"]
    for change in entry["transitions"]:
        yield change["after"]["commit"]
        yield change["at"]["commit"]
    for revision in (entry["since"], entry["fixed_in"], entry["last_affected"]):
        if revision is not None:
            yield revision["commit"]
