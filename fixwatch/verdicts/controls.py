"""The controls of a run: whether they behaved, and what they counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.records.install_record import IMPORT
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.verdicts.explorations import count_failures, find_printed
from fixwatch.verdicts.judgements import count_batch, count_shown
from fixwatch.verdicts.targets import CUDA, SIMULATOR
from mwe.defects import DEFECTS

WORKLOAD = "workload"
POSITIVE_CONTROL = "positive-control"
NEGATIVE_CONTROL = "negative-control"


@dataclass(frozen=True, kw_only=True)
class ControlCheck:
    """How the controls of a run behaved under a schedule."""

    negative: Counts | None  # of the negative ones together, without those that upstream broke
    # Why a batch that showed the defect, or one that did not, must be ignored; None if the controls
    # passed. The two differ where upstream broke a negative control.
    why_failures_are_ignored: str | None
    why_silence_is_ignored: str | None


def check_controls(record: Evidence, defect: str, schedule: str) -> ControlCheck:
    """Check the controls of a defect under a schedule.

    If a negative control fails because upstream broke it, the run's failures still count. In the
    simulator the silence of a workload beside it does not: the workloads and the controls look
    for the same race there.

    A positive control has to fail in the way that its target is measured for: in the simulator one
    that only crashes shows nothing. Elsewhere the positive controls of all defects show that
    the one judge works, that of guards on a device, or of what a compiler made.
    """
    problems = list(_iter_problems(record, defect, schedule))
    serious = [reason for reason, is_upstreams in problems if not is_upstreams]
    every = [reason for reason, _ in problems]
    return ControlCheck(
        negative=pool_counts(
            counts
            for control in _controls_of(record, defect, NEGATIVE_CONTROL, schedule)
            if (counts := count_batch(control)) and not is_broken_by_upstream(record, control)
        ),
        why_failures_are_ignored=next(iter(serious), None),
        why_silence_is_ignored=next(iter(every if record.target == SIMULATOR else serious), None),
    )


def _iter_problems(record: Evidence, defect: str, schedule: str) -> Iterator[tuple[str, bool]]:
    """Yield what is wrong with the controls, and whether it is a control that upstream broke."""
    for role in (POSITIVE_CONTROL, NEGATIVE_CONTROL):
        controls = _controls_of(record, defect, role, schedule)
        if not controls:
            yield f"does not count: no {role} was part of the run", False
        for control in controls:
            printed = find_printed(control)
            unit = "schedules" if control.is_exploration else "trials"
            if printed is None:
                problem = f"the {role} {control.workload} was not run"
            elif role == POSITIVE_CONTROL and not count_shown(control):
                problem = (
                    f"the positive control {control.workload} did not fail in {printed.trials} "
                    f"{unit} of the same run"
                )
            elif role == NEGATIVE_CONTROL and count_failures(control):
                problem = (
                    f"the negative control {control.workload} failed in {printed.failures} of "
                    f"{printed.trials} {unit} of the same run"
                )
            else:
                continue
            is_upstreams = role == NEGATIVE_CONTROL and is_broken_by_upstream(record, control)
            yield f"does not count: {problem}", is_upstreams


def _controls_of(record: Evidence, defect: str, role: str, schedule: str) -> list[BatchEvidence]:
    """Return the controls of a schedule; one that has none of its own is checked by all."""
    is_shared = role == POSITIVE_CONTROL and record.target != SIMULATOR
    controls = [
        batch
        for batch in record.batches
        if batch.role == role and (is_shared or batch.defect == defect)
    ]
    own = [control for control in controls if control.schedule == schedule] or controls
    if record.target != CUDA:
        return own
    # A release that cannot compile a control for a device has the others to be checked by.
    return [control for control in own if control.stage != IMPORT] or own


def is_broken_by_upstream(record: Evidence, control: BatchEvidence) -> bool:
    """Whether a negative control failed because of upstream's code, not because of the harness.

    A defect as it was shipped cannot reach its negative controls, but a wrong fix may: one that
    counts without a lock breaks code in a single module too. Only the defect's harness control
    cannot race in any simulator; as long as it stays silent under the same schedule, the harness
    works. On a device a control breaks together with the API that it uses, such as `Event.query`.
    """
    if not count_failures(control):
        return False
    defect = DEFECTS.get(control.defect)
    return defect is not None and any(
        find_printed(batch) is not None and not count_failures(batch)
        for batch in record.batches
        if (batch.workload, batch.schedule) == (defect.harness_control, control.schedule)
    )
