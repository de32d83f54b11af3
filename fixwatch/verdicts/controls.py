"""The controls of a run: whether they behaved, and what they counted."""

from __future__ import annotations

from dataclasses import replace

from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.records.install_record import IMPORT
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.targets import SIMULATOR, count_shown

WORKLOAD = "workload"
POSITIVE_CONTROL = "positive-control"
NEGATIVE_CONTROL = "negative-control"
# The negative control that is one for any simulator, not only for those with the shipped race.
SINGLE_THREADED_CONTROL = "one-thread"


def count_batch(batch: BatchEvidence) -> Counts | None:
    """Return a batch's failures, of whichever mode, and trials; None where it has no trial."""
    if batch.printed is None or not batch.printed.trials:
        return None
    return Counts(batch.printed.failures, batch.printed.trials)


def _controls_of(record: Evidence, role: str, schedule: str) -> list[BatchEvidence]:
    """Return the controls of a schedule; one that has none of its own is checked by all."""
    controls = [batch for batch in record.batches if batch.role == role]
    own = [batch for batch in controls if batch.schedule == schedule] or controls
    if record.target == SIMULATOR:
        return own
    # A release that cannot compile a control for a device has the others to be checked by.
    return [batch for batch in own if batch.stage != IMPORT] or own


def pool_negative_controls(record: Evidence, schedule: str) -> Counts | None:
    """Return what the negative controls of a schedule counted together; None if none ran.

    Those that upstream broke are none.
    """
    pooled = [
        counts
        for batch in _controls_of(record, NEGATIVE_CONTROL, schedule)
        if (counts := count_batch(batch)) is not None and not is_broken_by_upstream(record, batch)
    ]
    if not pooled:
        return None
    return Counts(sum(c.n_failures for c in pooled), sum(c.n_trials for c in pooled))


def is_broken_by_upstream(record: Evidence, control: BatchEvidence) -> bool:
    """Whether a negative control failed and it is not the harness that made it.

    The negative controls are beyond the reach of the race as it was shipped. A wrong fix may reach
    further: one that counts without a lock puts globals back under the feet of code in one module.
    Only what has a single active thread cannot race whatever the simulator does; as long as that
    stays silent under the same schedule, the harness does its work. On a device a control breaks
    together with the API that it uses, such as `Event.query`.
    """
    counts = count_batch(control)
    if counts is None or not counts.n_failures:
        return False
    single = [
        count_batch(batch)
        for batch in record.batches
        if (batch.workload, batch.schedule) == (SINGLE_THREADED_CONTROL, control.schedule)
    ]
    return any(each is not None and not each.n_failures for each in single)


def take_failing_controls_for_workloads(record: Evidence) -> Evidence:
    """Return a record of a patch in which a negative control that it broke is a workload."""
    batches = tuple(
        replace(batch, role=WORKLOAD)
        if batch.role == NEGATIVE_CONTROL and is_broken_by_upstream(record, batch)
        else batch
        for batch in record.batches
    )
    return replace(record, batches=batches)


def describe_misbehaviour(record: Evidence, schedule: str, *, is_silent: bool = True) -> str | None:
    """Say why the controls of a run forbid to believe a batch; None where they behaved.

    A negative control that upstream broke does not take a failure back; but that a workload is
    silent beside it says nothing in the simulator, where all are there for the same race.

    A positive control has to fail in the way that its target is measured for: in the simulator one
    that only crashes shows nothing.
    """
    for role in (POSITIVE_CONTROL, NEGATIVE_CONTROL):
        controls = _controls_of(record, role, schedule)
        if not controls:
            return f"does not count: no {role} was part of the run"
        for batch in controls:
            counts = count_batch(batch)
            if counts is None or batch.printed is None:
                return f"does not count: the {role} {batch.workload} was not run"
            if role == POSITIVE_CONTROL and not count_shown(record, batch):
                return (
                    f"does not count: the positive control {batch.workload} did not fail in "
                    f"{counts.n_trials} trials of the same run"
                )
            is_doubtful = is_silent and record.target == SIMULATOR
            is_excused = not is_doubtful and is_broken_by_upstream(record, batch)
            if role == NEGATIVE_CONTROL and counts.n_failures and not is_excused:
                return (
                    f"does not count: the negative control {batch.workload} failed in "
                    f"{counts.n_failures} of {counts.n_trials} trials of the same run"
                )
    return None
