"""The verdict on a working tree, by the rules that revisions of the histories are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import cache

from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.verdicts.assessment import (
    Assessment,
    JudgedRevision,
    Measurement,
    assess,
    combine_workloads,
)
from fixwatch.verdicts.controls import NEGATIVE_CONTROL, WORKLOAD, is_broken_by_upstream
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.references import Reference, choose_reference, load_recorded
from fixwatch.verdicts.series import FALLBACK_WORKLOAD, build_series
from fixwatch.verdicts.wrong_fixes import ChanceOfPassing, find_chances_of_passing, load_wrong_fixes


class TreeVerdict(str, Enum):
    """What a judge says of a working tree."""

    OBSERVED = "observed"
    NOT_OBSERVED = "not-observed"
    COULD_NOT_MEASURE = "could-not-measure"


# Of the command line.
EXIT_STATUS = {
    TreeVerdict.NOT_OBSERVED: 0,
    TreeVerdict.OBSERVED: 1,
    TreeVerdict.COULD_NOT_MEASURE: 3,
}


@dataclass(frozen=True, kw_only=True)
class JudgedDefect:
    """What was found of one defect in a working tree, or in the revision beside it."""

    defect: str
    verdict: TreeVerdict
    measurements: tuple[Measurement, ...]  # workloads before controls
    reference: Reference  # what silence was measured by
    # Of ``observed`` that of the surest workload, of ``not-observed`` that of the least sure; None
    # where it rests on explorations.
    confidence: float | None = None
    reason: str | None = None  # why it could not be measured, None where it could
    # The likeliest first; None where their workload was not run, or not silent.
    chances_of_passing: tuple[ChanceOfPassing, ...] | None = None
    # Negative controls that failed because of what is judged.
    broken_controls: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class JudgedTree:
    """What was found of a working tree, or of the revision beside it, defect by defect."""

    record: Evidence
    defects: tuple[JudgedDefect, ...]  # at least one

    @property
    def verdict(self) -> TreeVerdict:
        """``observed`` if one defect is, else ``could-not-measure`` if one could not be."""
        found = {judged.verdict for judged in self.defects}
        return next(verdict for verdict in _WORST_FIRST if verdict in found)

    @property
    def confidence(self) -> float | None:
        """That of the surest observed defect, or of the least sure of those not observed."""
        own = [found for found in self.defects if found.verdict is self.verdict]
        return _combine_confidences(self.verdict, [found.confidence for found in own])

    @property
    def reason(self) -> str | None:
        """Why it could not be measured; None where one defect was observed, or none."""
        reasons = [found.reason for found in self.defects if found.reason]
        is_unknown = self.verdict is TreeVerdict.COULD_NOT_MEASURE
        return reasons[0] if is_unknown and reasons else None

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Those of all defects."""
        return tuple(measured for found in self.defects for measured in found.measurements)


_WORST_FIRST = (TreeVerdict.OBSERVED, TreeVerdict.COULD_NOT_MEASURE, TreeVerdict.NOT_OBSERVED)


def judge(
    judged: Evidence, base: Evidence | None = None, defects: Sequence[str] | None = None
) -> JudgedTree:
    """Judge what was measured of a working tree, and of a base beside it, if there was one.

    Each defect is judged by its own workloads and controls. If a control misbehaves, nothing counts
    that was found of its defect. Else one observation decides, also of a negative control that the
    defect as shipped cannot break; silence decides only if every workload was silent under every
    schedule that decides, and an affected tree would have failed.

    `defects` are those that were to be measured; without, those that were.
    """
    names = dict.fromkeys(defects or (batch.defect for batch in judged.batches))
    load = cache(load_recorded)
    found = [
        _judge_defect(judged.of_defect(name), name, choose_reference(judged, base, name, load))
        for name in names
    ]
    return JudgedTree(record=judged, defects=tuple(found))


def _judge_defect(judged: Evidence, defect: str, reference: Reference) -> JudgedDefect:
    broken = [
        batch
        for batch in judged.batches
        if batch.role == NEGATIVE_CONTROL and is_broken_by_upstream(judged, batch)
    ]
    # A control that the patch broke counts as a workload.
    batches = tuple(
        replace(batch, role=WORKLOAD) if batch in broken else batch for batch in judged.batches
    )
    judged = replace(judged, batches=batches)
    revisions = _judge_each_workload(judged, reference)
    measurements = tuple(measured for revision in revisions for measured in revision.measurements)
    names = {batch.workload for batch in judged.batches if batch.role == WORKLOAD}
    workloads = [revision for revision in revisions if revision.workload in names]
    verdict = combine_workloads(workloads)
    reason = _find_trouble(assess(judged))
    if reason is None and not verdict.is_decided:
        reason = _find_reason(workloads)
    without_verdict = JudgedDefect(
        defect=defect,
        verdict=TreeVerdict.COULD_NOT_MEASURE,
        measurements=measurements,
        reference=reference,
        reason=reason,
    )
    if reason is not None:
        return without_verdict
    own = [revision.judgement.confidence for revision in workloads if revision.verdict is verdict]
    tree_verdict = TreeVerdict(verdict.value)
    return replace(
        without_verdict,
        verdict=tree_verdict,
        confidence=_combine_confidences(tree_verdict, own),
        chances_of_passing=(
            _find_chances(measurements) if verdict is Verdict.NOT_OBSERVED else None
        ),
        broken_controls=tuple(dict.fromkeys(batch.workload for batch in broken)),
    )


def _combine_confidences(verdict: TreeVerdict, confidences: Iterable[float | None]) -> float | None:
    known = [confidence for confidence in confidences if confidence is not None]
    return (min if verdict is TreeVerdict.NOT_OBSERVED else max)(known, default=None)


def _judge_each_workload(judged: Evidence, reference: Reference) -> list[JudgedRevision]:
    """Judge a record by workload, workloads before controls, in the order of the plan."""
    names = list(dict.fromkeys(batch.workload for batch in judged.batches))
    all_series = build_series([judged, *reference.records], reference.order)
    own = [series for series in all_series if series.key.workload in names]
    own.sort(key=lambda series: (series.role != WORKLOAD, names.index(series.key.workload)))
    return [revision for series in own if (revision := series.find(judged)) is not None]


def _find_trouble(judged: Assessment) -> str | None:
    """Say why nothing that was measured counts, None if it does."""
    record = judged.record
    if record.not_run_reason is not None:
        return f"{record.not_run_stage}: {record.not_run_reason}"
    for assessed in judged.batches:
        problem = assessed.controls.why_silence_is_ignored
        if assessed.batch.decides and problem:
            return problem + _show_cause(record, assessed.batch.schedule)
    return None


def _show_cause(judged: Evidence, schedule: str) -> str:
    """Return what went wrong in upstream's code, where a control misbehaved because of it."""
    for batch in judged.batches:
        if batch.printed is None:
            return f"; {batch.stage}: {batch.reason}"
        if batch.printed.status != "complete":
            return f"; {batch.workload} under {batch.schedule} {batch.printed.status}"
    for batch in judged.batches:
        if batch.role == NEGATIVE_CONTROL and batch.schedule == schedule:
            detail = _find_detail(batch)
            if detail:
                return detail
    return ""


def _find_detail(batch: BatchEvidence) -> str:
    """Return the first line of what a batch failed with; nothing if it did not."""
    details = batch.printed.details if batch.printed else ()
    return f"; {str(details[0]).strip().splitlines()[0]}" if details else ""


def _find_reason(workloads: Sequence[JudgedRevision]) -> str:
    """Say why there is no verdict."""
    for revision in workloads:
        for measurement in revision.deciding or revision.measurements:
            batch, judgement = measurement.batch, measurement.judgement
            if batch and judgement.reason and not judgement.verdict.is_decided:
                reason = f"{judgement.reason}{_find_detail(batch)}"
                return f"{batch.workload} under {batch.schedule}: {reason}"
    return "nothing was run"


def _find_chances(measurements: Sequence[Measurement]) -> tuple[ChanceOfPassing, ...] | None:
    trials = {
        measurement.batch.schedule: measurement.counts.n_trials
        for measurement in measurements
        if measurement.batch
        and measurement.batch.workload == FALLBACK_WORKLOAD
        and measurement.counts
    }
    return tuple(find_chances_of_passing(trials, load_wrong_fixes().counts)) if trials else None
