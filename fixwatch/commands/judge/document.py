"""A judge's run as JSON; docs/judge.schema.json is written from these models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from fixwatch.commands.judge.launch_cost import CostOfLaunch
from fixwatch.commands.judge.run import JudgeRun
from fixwatch.commands.judge.snapshots import Snapshot
from fixwatch.records import fields
from fixwatch.records.evidence import BatchEvidence, ExploredSpace
from fixwatch.records.fields import Closed, IsoMoment, Number, Probability, one_of
from fixwatch.statistics.binomial import Counts, interval, upper_bound
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.explorations import find_printed
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.working_tree import JudgedDefect, JudgedTree, TreeVerdict
from fixwatch.verdicts.wrong_fixes import ChanceOfPassing, load_wrong_fixes
from mwe.planned.plan import MEASUREMENT_VERSION


@dataclass(frozen=True, kw_only=True)
class Head(Closed):
    """The commit that a working tree stands on."""

    commit: fields.TreeHash
    name: str
    date: IsoMoment


@dataclass(frozen=True, kw_only=True)
class JudgedRevision(Closed):
    """What was built and measured."""

    upstream: fields.Upstream
    head: Head
    tree: fields.TreeHash
    """Git's hash of what was built, changes included."""
    changed_files: Number
    """Files that differ from the head."""
    packages: dict[str, str]
    build_packages: dict[str, str]
    extensions: fields.Extensions | None
    resolved_as_of: IsoMoment | None


@dataclass(frozen=True, kw_only=True)
class MeasuredBatch(Closed):
    """The counts of a batch, or null where it was not run, and what they show."""

    defect: str
    workload: str
    role: fields.Role
    schedule: str
    decides: bool
    """Whether the verdict rests on it."""
    verdict: Verdict
    confidence: Probability | None
    reason: str | None
    trials: fields.PositiveNumber | None
    failures: Number | None
    failures_by_mode: dict[str, Number] | None
    signature_failures: Number | None
    """Failures in the way of the defect; in a negative control all."""
    refusals: Number | None
    """Passing trials in which upstream refused the launch, with an error that says so."""
    rate_low: Probability | None
    rate_high: Probability | None
    """Exact bound of the rate, 95 %: two-sided, one-sided where nothing failed.

    Null under explore, whose trials are different schedules.
    """
    space: ExploredSpace | None
    """What explore ran of its space of schedules; null under other schedules."""
    first_failure_schedule: str | None
    """Under explore: what python -m mwe --replay takes."""
    seed: int | None


@dataclass(frozen=True, kw_only=True)
class ReferenceUsed(Closed):
    """The affected revisions that silence is measured by."""

    kind: Annotated[str, one_of("base", "this-machine", "another-machine", "none")]
    description: str


@dataclass(frozen=True, kw_only=True)
class WrongFixes(Closed):
    """The chance that a wrong fix of a known kind would have been as silent."""

    measured_with: str
    chance_of_passing: Probability
    """The chance of the worst of them."""
    variants: Annotated[list[ChanceOfPassing], Field(min_length=1)]


@dataclass(frozen=True, kw_only=True)
class DefectFound(Closed):
    """The verdict on one defect."""

    defect: str
    verdict: TreeVerdict
    confidence: Probability | None
    """Null where it rests on explorations."""
    reason: str | None
    """Why it could not be measured; null where it could."""
    reference: ReferenceUsed
    broken_controls: list[str]
    """Negative controls that failed because of what is judged, and count as workloads."""


@dataclass(frozen=True, kw_only=True)
class MeasuredBase(Closed):
    """What was measured beside the judged tree."""

    verdict: TreeVerdict
    confidence: Probability | None
    reason: str | None
    broken_controls: list[str]
    defects: list[DefectFound]
    revision: JudgedRevision
    measurements: list[MeasuredBatch]


@dataclass(frozen=True, kw_only=True)
class JudgeDocument(Closed):
    """What python -m fixwatch judge PATH --json prints."""

    version: Literal[2] = 2
    verdict: TreeVerdict
    """Over the defects: observed if one is, else could-not-measure if one could not be."""
    confidence: Probability | None
    """Of the surest observed defect, or of the least sure of those not observed."""
    reason: str | None
    """Why it could not be measured; null where one was observed, or none."""
    defects: Annotated[list[DefectFound], Field(min_length=1)]
    measured_at: IsoMoment
    measurement_version: str
    """What a count means; numbers of different versions do not compare."""
    machine: str
    python: fields.PythonVersion
    target: Literal["simulator"] = "simulator"
    judged: JudgedRevision
    measurements: list[MeasuredBatch]
    """One for each batch; empty where nothing could be run."""
    reference: ReferenceUsed
    """Of the first defect."""
    wrong_fixes: WrongFixes | None
    """Of the defect of local-array: null unless it was not observed, and local-array was run."""
    broken_controls: list[str]
    """Those of all defects."""
    against: MeasuredBase | None
    """Null without --against."""
    launch_cost: CostOfLaunch | None
    """Null without --against."""


def build_document(run: JudgeRun) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    result, base, base_result = run.result, run.base, run.base_result
    chances = next(filter(None, (found.chances_of_passing for found in result.defects)), None)
    document = JudgeDocument(
        **_describe_result(result),
        measured_at=result.record.measured_at,
        measurement_version=MEASUREMENT_VERSION,
        machine=result.record.machine,
        python=result.record.python,
        judged=_describe_revision(run.judged, result),
        reference=_describe_reference(result.defects[0]),
        wrong_fixes=WrongFixes(
            measured_with=load_wrong_fixes().measured_with,
            chance_of_passing=chances[0].chance,
            variants=list(chances),
        )
        if chances
        else None,
        against=MeasuredBase(
            **_describe_result(base_result), revision=_describe_revision(base, base_result)
        )
        if base and base_result
        else None,
        launch_cost=run.launch_cost,
    )
    return asdict(document)


def find_rate(counts: Counts) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate; where nothing failed, 0 and the one-sided bound."""
    return interval(counts) if counts.n_failures else (0.0, upper_bound(counts))


def _describe_revision(snapshot: Snapshot, result: JudgedTree) -> JudgedRevision:
    record = result.record
    return JudgedRevision(
        upstream=snapshot.upstream,
        head=Head(commit=snapshot.head, name=snapshot.name, date=snapshot.date.isoformat()),
        tree=snapshot.tree,
        changed_files=snapshot.n_changed,
        packages=record.packages,
        build_packages=record.build_packages,
        extensions=record.extensions,
        resolved_as_of=record.resolved_as_of,
    )


def _describe_result(result: JudgedTree) -> dict[str, Any]:
    """Return what is said of the judged tree and of the base alike."""
    return {
        "verdict": result.verdict,
        "confidence": result.confidence,
        "reason": result.reason,
        "broken_controls": [name for found in result.defects for name in found.broken_controls],
        "defects": [
            DefectFound(
                defect=found.defect,
                verdict=found.verdict,
                confidence=found.confidence,
                reason=found.reason,
                reference=_describe_reference(found),
                broken_controls=list(found.broken_controls),
            )
            for found in result.defects
        ],
        # A judge's measurements all have a batch, if only one that was not run.
        "measurements": [
            _describe_measurement(measurement, measurement.batch)
            for measurement in result.measurements
            if measurement.batch is not None
        ],
    }


def _describe_reference(found: JudgedDefect) -> ReferenceUsed:
    return ReferenceUsed(kind=found.reference.kind, description=found.reference.description)


def _describe_measurement(measurement: Measurement, batch: BatchEvidence) -> MeasuredBatch:
    counts, printed = measurement.counts, find_printed(batch)
    low, high = find_rate(counts) if counts else (None, None)
    return MeasuredBatch(
        defect=batch.defect,
        workload=batch.workload,
        role=batch.role,
        schedule=batch.schedule,
        decides=measurement.decides,
        **asdict(measurement.judgement),
        trials=printed.trials if printed else None,
        failures=printed.failures if printed else None,
        failures_by_mode=printed.failures_by_mode if printed else None,
        signature_failures=printed.signature_failures if printed else None,
        refusals=printed.refusals if printed else None,
        rate_low=low,
        rate_high=high,
        space=printed.space if printed else None,
        first_failure_schedule=printed.first_failure_schedule if printed else None,
        seed=printed.seed if printed else None,
    )
