"""What explorations show, and the words for it.

An exploration runs different schedules, each once, so it has no failure rate. Where one failed,
that one can be run again; where all were run and none failed, that is a proof up to the bound of
the space, at the granularity of its points, on the Python that it ran on; otherwise it shows
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

from fixwatch.records.evidence import BatchEvidence, PrintedBatch
from mwe.defects import DEFECTS


def find_printed(batch: BatchEvidence) -> PrintedBatch | None:
    """Return what a batch printed; None where it has no trial."""
    return batch.printed if batch.printed and batch.printed.trials else None


def is_exhausted(batch: BatchEvidence) -> bool:
    """Whether a batch is an exploration that ran its whole space."""
    space = batch.printed.space if batch.is_exploration and batch.printed else None
    return space is not None and space.exhausted


def count_failures(batch: BatchEvidence) -> int:
    """Return how many trials of a batch failed, in whichever mode.

    A hang or a crash that ended the process of an exploration is none of them: no schedule is known
    that could be run again, and it may be the explorer's own.
    """
    printed = find_printed(batch)
    if printed is None or (batch.is_exploration and printed.first_failure_schedule is None):
        return 0
    return printed.failures


def find_defect_in_the_way(batch: BatchEvidence) -> str | None:
    """Return the other defect that all failing schedules of an exploration met, if it is one.

    Its errors name it, so that those schedules say nothing of the batch's own defect, and the
    others say as much as ever.
    """
    printed = find_printed(batch)
    if printed is None or printed.signature_failures or not count_failures(batch):
        return None
    if batch.is_exploration:
        for defect in DEFECTS.values():
            if printed.failures_by_mode.keys() <= defect.signature.naming_modes:
                return defect.name
    return None


def describe_exploration(batch: BatchEvidence) -> str:
    """Return in words what an exploration ran, and what that says."""
    printed = find_printed(batch)
    if printed is None:
        return "not run"
    space = printed.space
    # One that could not be followed is tried again, so that there may be more trials.
    n_run = space.run if space else printed.trials
    known = f"{space.schedules if space else n_run:,}"
    if text := printed.first_failure_schedule:
        n_all = known if is_exhausted(batch) else f"at least {known}"
        place = f"the {_name_ordinal(printed.first_failure_trial or printed.trials)} of {n_all}"
        replay = f"python -m mwe --workload {batch.workload} --replay {text}"
        otherwise = "" if printed.signature_failures else f", not in the way of {batch.defect}"
        return f"schedule {text} failed{otherwise}, {place}; replay: {replay}"
    if printed.failures:
        how = ", ".join(printed.failures_by_mode)
        return f"its process ended after {n_run:,} of at least {known} schedules ({how}): no proof"
    if space is None or not space.exhausted:
        return f"{n_run:,} of at least {known} schedules run, none failed: no proof"
    return (
        f"all {known} schedules of {space.threads} threads with at most {space.switches} forced "
        "switches: none failed (a proof up to this bound, on this Python)"
    )


def summarise_explorations(batches: Iterable[BatchEvidence]) -> str:
    """Return in a few words what explorations of several workloads show; nothing without any."""
    failed, whole = "a schedule failed in", "every schedule passed in"
    part, ended = "a part was run, none failed, in", "the process ended in"
    otherwise = "a schedule failed in another way in"
    found: dict[str, list[str]] = {failed: [], otherwise: [], whole: [], part: [], ended: []}
    for batch in batches:
        printed = find_printed(batch)
        if batch.is_exploration and printed:
            if count_failures(batch):
                what = failed if printed.signature_failures else otherwise
            else:
                what = whole if is_exhausted(batch) else ended if printed.failures else part
            found[what].append(batch.workload)
    return "; ".join(
        f"{what} {', '.join(dict.fromkeys(workloads))}"
        for what, workloads in found.items()
        if workloads
    )


def _name_ordinal(number: int) -> str:
    is_teen = number % 100 in (11, 12, 13)
    return f"{number:,}{'th' if is_teen else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"
