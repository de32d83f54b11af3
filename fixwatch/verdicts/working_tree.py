"""The verdict on a working tree, by the rules that revisions of the histories are judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.verdicts.controls import (
    NEGATIVE_CONTROL,
    WORKLOAD,
    count_batch,
    describe_misbehaviour,
    take_failing_controls_for_workloads,
)
from fixwatch.verdicts.judgements import Judgement, Verdict, combine_judgements, combine_verdicts
from fixwatch.verdicts.references import Reference, choose_reference
from fixwatch.verdicts.series import FALLBACK_WORKLOAD, Measurement, build_series
from fixwatch.verdicts.wrong_fixes import ChanceOfPassing, find_chances_of_passing, load_wrong_fixes


class Outcome(str, Enum):
    """What a judge answers."""

    OBSERVED = "observed"
    NOT_OBSERVED = "not-observed"
    COULD_NOT_MEASURE = "could-not-measure"


# Of the command line.
EXIT_STATUS = {Outcome.NOT_OBSERVED: 0, Outcome.OBSERVED: 1, Outcome.COULD_NOT_MEASURE: 3}
_OUTCOMES = {Verdict.OBSERVED: Outcome.OBSERVED, Verdict.NOT_OBSERVED: Outcome.NOT_OBSERVED}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What was found of a revision.

    Attributes
    ----------
    record
        All that was measured.
    measurements
        Each batch, judged; workloads before controls.
    confidence
        Of ``observed`` that of the surest workload, of ``not-observed`` that of the least sure.
    reason
        Why it could not be measured, None where it could.
    reference
        What silence was measured by.
    chances_of_passing
        Of wrong fixes, the likeliest first; None where they say nothing, because their workload
        was not run, or not silent.
    broken_controls
        Negative controls that failed because of what is judged.
    """

    record: Evidence
    outcome: Outcome
    measurements: tuple[Measurement, ...]
    reference: Reference
    confidence: float | None = None
    reason: str | None = None
    chances_of_passing: tuple[ChanceOfPassing, ...] | None = None
    broken_controls: tuple[str, ...] = ()


def judge(judged: Evidence, base: Evidence | None = None) -> Answer:
    """Judge what was measured of a working tree.

    A control that misbehaved makes all of it worth nothing. Else one observation decides, also of
    a negative control that only the shipped race cannot reach; silence only if every workload was
    silent under every schedule that decides, and would not have been if it were affected.

    Parameters
    ----------
    judged
        What was measured.
    base
        What was measured beside it, if anything was.
    """
    reference = choose_reference(judged, base)
    planned = judged
    judged = take_failing_controls_for_workloads(judged)
    measurements = _measure(judged, reference)
    trouble = _find_trouble(judged)
    judgements = _judge_workloads(measurements)
    verdict = combine_verdicts([each.verdict for each in judgements])
    if trouble is None and verdict not in _OUTCOMES:
        trouble = _find_reason(measurements)
    if trouble is not None:
        return Answer(
            record=judged,
            outcome=Outcome.COULD_NOT_MEASURE,
            measurements=measurements,
            reference=reference,
            reason=trouble,
        )
    outcome = _OUTCOMES[verdict]
    sure = [each.confidence for each in judgements if each.verdict is verdict and each.confidence]
    choose = max if outcome is Outcome.OBSERVED else min
    return Answer(
        record=judged,
        outcome=outcome,
        measurements=measurements,
        reference=reference,
        confidence=choose(sure, default=None),
        chances_of_passing=_find_chances(measurements) if outcome is Outcome.NOT_OBSERVED else None,
        broken_controls=_find_broken_controls(planned, judged),
    )


def _measure(judged: Evidence, reference: Reference) -> tuple[Measurement, ...]:
    series = build_series([judged, *reference.records], reference.order)
    found = [
        (each, measurement)
        for each in series
        for measurement in each.measurements_of(judged)
        if measurement.batch is not None
    ]
    places = {(batch.workload, batch.schedule): place for place, batch in enumerate(judged.batches)}
    return tuple(
        measurement
        for _, measurement in sorted(
            found,
            key=lambda pair: (
                pair[0].role != WORKLOAD,
                places[pair[0].key.workload, str(pair[1].schedule)],
            ),
        )
    )


def _find_trouble(judged: Evidence) -> str | None:
    """Say why nothing that was measured counts, None if it does."""
    if judged.not_run_reason is not None:
        return f"{judged.not_run_stage}: {judged.not_run_reason}"
    for schedule in dict.fromkeys(batch.schedule for batch in judged.batches if batch.decides):
        misbehaviour = describe_misbehaviour(judged, schedule)
        if misbehaviour:
            return misbehaviour + _show_cause(judged, schedule)
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


def _judge_workloads(measurements: Sequence[Measurement]) -> list[Judgement]:
    """Return a judgement for each workload, over the schedules that it rests on."""
    by_workload: dict[str, list[Judgement]] = {}
    for each in measurements:
        if each.batch is not None and each.batch.role == WORKLOAD and each.decides:
            by_workload.setdefault(each.batch.workload, []).append(each.judgement)
    return [combine_judgements(judgements) for judgements in by_workload.values()]


def _find_reason(measurements: Sequence[Measurement]) -> str:
    for each in measurements:
        batch = each.batch
        if batch is None or batch.role != WORKLOAD or not each.decides or not each.judgement.reason:
            continue
        if each.judgement.verdict not in _OUTCOMES:
            reason = f"{each.judgement.reason}{_find_detail(batch)}"
            return f"{batch.workload} under {batch.schedule}: {reason}"
    return "nothing was run"


def _find_broken_controls(planned: Evidence, judged: Evidence) -> tuple[str, ...]:
    pairs = zip(planned.batches, judged.batches, strict=True)
    return tuple(dict.fromkeys(was.workload for was, now in pairs if was.role != now.role))


def _find_chances(measurements: Sequence[Measurement]) -> tuple[ChanceOfPassing, ...] | None:
    trials = {
        each.batch.schedule: counts.n_trials
        for each in measurements
        if each.batch is not None
        and each.batch.workload == FALLBACK_WORKLOAD
        and (counts := count_batch(each.batch)) is not None
    }
    if not trials:
        return None
    return tuple(find_chances_of_passing(trials, load_wrong_fixes().counts))
