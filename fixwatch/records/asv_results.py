"""What asv's own result file of a revision says, derived from the record: counts have one home."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.records.install_record import AVAILABILITY, DEVICE
from fixwatch.upstream_texts import parse_moment

# Each benchmark reads one count of a batch.
COUNTS = {
    "track_failures": "failures",
    "track_trials": "trials",
    "track_early_return_failures": "early_return_failures",
}
# Not to be had for this Python, or no device on this machine: no failure of a run.
_NOT_APPLICABLE = frozenset({AVAILABILITY, DEVICE})
# By which a configuration chooses the target.
_VARIABLES = {
    "simulator": {"NUMBA_ENABLE_CUDASIM": "1"},
    "cuda": {"NUMBA_ENABLE_CUDASIM": "0"},
    "compiler": {"FIXWATCH_TARGET": "compiler"},
}
_COLUMNS = ("result", "params", "version", "started_at")
_FORMAT_VERSION = 2


def has_result(record: Evidence) -> bool:
    """Whether asv is to have a result of a revision at all.

    It takes "not applicable" for measured and would never try again, not even on a machine that has
    the device that this one lacks.
    """
    return not record.batches or any(batch.stage != DEVICE for batch in record.batches)


def derive_axes(record: Evidence) -> list[list[str]]:
    """Return the parameters of the benchmarks as asv writes them: workloads and schedules."""
    workloads = dict.fromkeys(repr(batch.workload) for batch in record.batches)
    schedules = dict.fromkeys(repr(batch.schedule) for batch in record.batches)
    return [list(workloads), list(schedules)]


def derive_values(
    record: Evidence, benchmark: str, axes: Sequence[Sequence[str]]
) -> list[float | None] | None:
    """Return a benchmark's values for each combination of its parameters.

    NaN is asv's "not applicable": a combination that is not planned or cannot be had, or a count
    that is not known. None is a failure, which asv tries again if it is asked to; None for all of
    them where all failed.
    """
    batches = {(repr(batch.workload), repr(batch.schedule)): batch for batch in record.batches}
    unplanned = math.nan if batches or record.not_run_stage in _NOT_APPLICABLE else None
    values = [
        _derive_value(batches[place], COUNTS[benchmark]) if place in batches else unplanned
        for place in itertools.product(*axes)
    ]
    return None if all(value is None for value in values) else values


def _derive_value(batch: BatchEvidence, count: str) -> float | None:
    if batch.printed is None:
        return math.nan if batch.stage in _NOT_APPLICABLE else None
    value: int | None = getattr(batch.printed, count)
    return math.nan if value is None else value


def derive_result(record: Evidence, machine: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of asv's result file, on a machine as asv describes it.

    Results belong to one graph only if all describe the machine alike.
    """
    axes = derive_axes(record)
    measured_at, date = (
        int(parse_moment(moment).timestamp() * 1000) for moment in (record.measured_at, record.date)
    )
    return {
        "commit_hash": record.commit,
        "env_name": record.environment,
        "date": date,
        "params": {**machine, "machine": record.machine, "python": record.python},
        "python": record.python,
        "requirements": {},
        "env_vars": _VARIABLES[record.target],
        "result_columns": list(_COLUMNS),
        "results": {
            name: [derive_values(record, name, axes), axes, record.measurement_version, measured_at]
            for name in COUNTS
        },
        "durations": {},
        "version": _FORMAT_VERSION,
    }
