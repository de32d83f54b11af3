"""The controls of a run: whether they behaved, and what they counted."""

from __future__ import annotations

from fixwatch.evidence import BatchEvidence, Evidence
from fixwatch.report.targets import SIMULATOR, count_shown
from fixwatch.statistics.binomial import Counts

WORKLOAD = "workload"
POSITIVE_CONTROL = "positive-control"
NEGATIVE_CONTROL = "negative-control"


def count_batch(batch: BatchEvidence) -> Counts | None:
    """Return a batch's failures, of whichever mode, and trials; None where it has no trial."""
    if batch.batch is None or not batch.batch["trials"]:
        return None
    return Counts(batch.batch["failures"], batch.batch["trials"])


def _controls_of(record: Evidence, role: str, schedule: str) -> list[BatchEvidence]:
    """Return the controls of a schedule; one that has none of its own is checked by all."""
    controls = [batch for batch in record.batches if batch.role == role]
    own = [batch for batch in controls if batch.schedule == schedule] or controls
    if record.target == SIMULATOR:
        return own
    # A release that cannot compile a control for a device has the others to be checked by.
    return [batch for batch in own if count_batch(batch) is not None] or own


def pool_negative_controls(record: Evidence, schedule: str) -> Counts | None:
    """Return what the negative controls of a schedule counted together; None if none ran."""
    pooled = [
        counts
        for batch in _controls_of(record, NEGATIVE_CONTROL, schedule)
        if (counts := count_batch(batch)) is not None
    ]
    if not pooled:
        return None
    return Counts(sum(c.n_failures for c in pooled), sum(c.n_trials for c in pooled))


def describe_misbehaviour(record: Evidence, schedule: str) -> str | None:
    """Say why the controls of a run forbid to believe a schedule; None where they behaved.

    A positive control has to fail in the way that its target is measured for: in the simulator one
    that only crashes shows nothing.
    """
    for role in (POSITIVE_CONTROL, NEGATIVE_CONTROL):
        controls = _controls_of(record, role, schedule)
        if not controls:
            return f"does not count: no {role} was part of the run"
        for batch in controls:
            counts = count_batch(batch)
            if counts is None or batch.batch is None:
                return f"does not count: the {role} {batch.workload} was not run"
            if role == POSITIVE_CONTROL and not count_shown(record, batch):
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
