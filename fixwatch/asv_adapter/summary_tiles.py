"""The tiles of asv's benchmark grid: one for each workload, with what its verdicts say.

asv draws one tile for each benchmark, a mean over all parameters. Such a mean mixes workloads and
controls, and is zero as soon as one of them is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from fixwatch.records.asv_results import COUNTS
from fixwatch.report.answer import name_state
from fixwatch.verdicts.assessment import JudgedRevision
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from mwe.defects import DEFECTS, WORKLOADS

BENCHMARK = "track_failures"
# What a band of a tile says; where nothing was decided there is none.
_KINDS = {Verdict.OBSERVED: "affected", Verdict.NOT_OBSERVED: "free"}


def describe_groups(
    all_series: Iterable[Series], places: Mapping[str, int]
) -> list[dict[str, Any]]:
    """Return the tiles of a site, a group for each defect, the one that the tracker is for first.

    `places` are where asv's graphs have the commits; one without a place is left out. Controls
    have no tiles.
    """
    workloads = _rank(all_series)
    groups: dict[str, list[dict[str, Any]]] = {}
    pythons = {series.key.python for series in workloads}
    for series in workloads:
        tile = _describe_tile(series, places, names_python=len(pythons) > 1)
        if tile["points"]:
            groups.setdefault(series.defect, []).append(tile)
    return [
        {
            "name": name,
            "about": DEFECTS[name].summary if name in DEFECTS else "",
            "tiles": tiles,
        }
        for name, tiles in groups.items()
    ]


def summarise(
    all_series: Iterable[Series], places: Mapping[str, int]
) -> dict[str, list[tuple[int, int]]]:
    """Return by benchmark what stands for all of it: the first workload, by place."""
    ranked = _rank(all_series)
    if not ranked:
        return {}
    return {name: _find_points(ranked[0], places, count) for name, count in COUNTS.items()}


def _rank(all_series: Iterable[Series]) -> list[Series]:
    """Return the series of workloads, by defect and workload as they are declared."""
    defects, workloads = list(DEFECTS), list(WORKLOADS)

    def rank(series: Series) -> tuple[int, int, str]:
        key = series.key
        return (
            defects.index(series.defect) if series.defect in defects else len(defects),
            workloads.index(key.workload) if key.workload in workloads else len(workloads),
            key.python,
        )

    return sorted((series for series in all_series if series.role == WORKLOAD), key=rank)


def _find_points(series: Series, places: Mapping[str, int], count: str) -> list[tuple[int, int]]:
    """Return place and count of the revisions that something ran on, oldest first.

    It is that of the schedule that has most; of what is not known there is none.
    """
    points = []
    for revision in series.revisions:
        counts = [
            getattr(measured.batch.printed, count)
            for measured in revision.measurements
            if measured.batch and measured.batch.printed
        ]
        known = [number for number in counts if number is not None]
        if known and revision.record.commit in places:
            points.append((places[revision.record.commit], max(known)))
    return sorted(points)


def _describe_tile(
    series: Series, places: Mapping[str, int], *, names_python: bool
) -> dict[str, Any]:
    key, records = series.key, [revision.record for revision in series.revisions]
    title = f"{BENCHMARK}: {key.workload}"
    if names_python:
        title += f" (Python {key.python})"
    schedules = {
        measured.schedule for measured in series.measurements if measured.schedule is not None
    }
    chosen = [("p-workload", key.workload), *(("p-schedule", name) for name in sorted(schedules))]
    return {
        "title": title,
        "answer": name_state(series),
        "state": series.state.state.value,
        # asv keeps parameters as Python writes them.
        "address": f"#{BENCHMARK}?"
        + "&".join(f"{name}={quote(repr(value))}" for name, value in chosen),
        "points": _find_points(series, places, COUNTS[BENCHMARK]),
        "bands": _find_bands(series.revisions, places),
        "changes": [
            {
                "kind": change.kind.value,
                "place": places[records[change.at].commit],
                "name": records[change.at].name,
            }
            for change in series.history.changes
            if records[change.at].commit in places
        ],
    }


def _find_bands(
    revisions: Iterable[JudgedRevision], places: Mapping[str, int]
) -> list[tuple[float, float, str]]:
    """Return where the revisions are affected or free: from, to and which, from left to right.

    A band ends half-way to the next revision that is something else, or undecided.
    """
    kinds = sorted(
        (places[revision.record.commit], _KINDS.get(revision.verdict, ""))
        for revision in revisions
        if revision.record.commit in places
    )
    bands: list[tuple[float, float, str]] = []
    for index, (place, kind) in enumerate(kinds):
        start = (kinds[index - 1][0] + place) / 2 if index else place - 0.5
        end = (place + kinds[index + 1][0]) / 2 if index + 1 < len(kinds) else place + 0.5
        if bands and bands[-1][1:] == (start, kind):
            start = bands.pop()[0]
        bands.append((start, end, kind))
    return [band for band in bands if band[2]]
