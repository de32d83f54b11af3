"""A judge's run as JSON; docs/judge.schema.json is its schema."""

from __future__ import annotations

from typing import Any

from fixwatch.commands.judge.launch_cost import LaunchCost
from fixwatch.commands.judge.run import JudgeRun
from fixwatch.commands.judge.snapshots import Snapshot
from fixwatch.statistics.binomial import Counts, interval, upper_bound
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.working_tree import JudgedTree
from fixwatch.verdicts.wrong_fixes import load_wrong_fixes

FORMAT_VERSION = 1


def build_document(run: JudgeRun) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    result = run.result
    return {
        "version": FORMAT_VERSION,
        "verdict": result.verdict.value,
        "confidence": result.confidence,
        "reason": result.reason,
        "measured_at": result.record.measured_at,
        "measurement_version": result.record.measurement_version,
        "machine": result.record.machine,
        "python": result.record.python,
        "target": result.record.target,
        "judged": _describe_revision(run.judged, result),
        "measurements": [_describe_measurement(found) for found in result.measurements],
        "reference": {
            "kind": result.reference.kind,
            "description": result.reference.description,
        },
        "wrong_fixes": _describe_wrong_fixes(result),
        "broken_controls": list(result.broken_controls),
        "against": _describe_base(run),
        "launch_cost": _describe_cost(run.launch_cost),
    }


def find_rate(counts: Counts) -> tuple[float, float]:
    """Return the exact 95 % interval of a rate; where nothing failed, 0 and the one-sided bound."""
    return interval(counts) if counts.n_failures else (0.0, upper_bound(counts))


def _describe_revision(snapshot: Snapshot, result: JudgedTree) -> dict[str, Any]:
    record = result.record
    return {
        "upstream": snapshot.upstream,
        "head": {
            "commit": snapshot.head,
            "name": snapshot.name,
            "date": snapshot.date.isoformat(),
        },
        "tree": snapshot.tree,
        "changed_files": snapshot.n_changed,
        "packages": record.packages,
        "build_packages": record.build_packages,
        "extensions": record.extensions,
        "resolved_as_of": record.resolved_as_of,
    }


def _describe_measurement(measurement: Measurement) -> dict[str, Any]:
    batch, counts = measurement.batch, measurement.counts
    # A judge's measurements all have a batch, if only one that says why it was not run.
    printed = batch.printed if batch is not None else None
    low, high = find_rate(counts) if counts else (None, None)
    return {
        "workload": batch.workload if batch else None,
        "role": batch.role if batch else None,
        "schedule": measurement.schedule,
        "decides": measurement.decides,
        "verdict": measurement.judgement.verdict.value,
        "confidence": measurement.judgement.confidence,
        "reason": measurement.judgement.reason,
        "trials": counts.n_trials if counts else None,
        "failures": counts.n_failures if counts else None,
        "failures_by_mode": printed.failures_by_mode if printed else None,
        "rate_low": low,
        "rate_high": high,
        "seed": printed.seed if printed else None,
    }


def _describe_wrong_fixes(result: JudgedTree) -> dict[str, Any] | None:
    chances = result.chances_of_passing
    if not chances:
        return None
    return {
        "measured_with": load_wrong_fixes().measured_with,
        "chance_of_passing": chances[0].chance,
        "variants": [{"variant": found.variant, "chance": found.chance} for found in chances],
    }


def _describe_base(run: JudgeRun) -> dict[str, Any] | None:
    if run.base is None or run.base_result is None:
        return None
    return {
        "verdict": run.base_result.verdict.value,
        "confidence": run.base_result.confidence,
        "reason": run.base_result.reason,
        "broken_controls": list(run.base_result.broken_controls),
        "revision": _describe_revision(run.base, run.base_result),
        "measurements": [_describe_measurement(found) for found in run.base_result.measurements],
    }


def _describe_cost(cost: LaunchCost | None) -> dict[str, Any] | None:
    if cost is None:
        return None
    ratio = cost.ratio
    return {
        "ratio": ratio.median if ratio else None,
        "low": ratio.low if ratio else None,
        "high": ratio.high if ratio else None,
        "rounds": ratio.n_rounds if ratio else 0,
        "reason": cost.reason,
    }
