"""From what a runner left of a planned batch to what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping

from packaging.version import Version

from fixwatch.records.evidence import BatchEvidence, parse_printed
from fixwatch.records.install_record import BATCH
from mwe.planned.client import BatchResult
from mwe.planned.plan import PlannedBatch, decides
from mwe.targets import Target


def describe_batch(
    planned: PlannedBatch, result: BatchResult, packages: Mapping[str, str]
) -> BatchEvidence:
    """Return what is stored of a planned batch: its counts, or the stage that failed and why.

    A batch that ran with other packages than those resolved for the revision counts for nothing.
    """
    printed, stage, reason = None, result.stage, result.reason
    if result.batch is not None:
        try:
            reason = find_foreign_package(result.batch["packages"], packages)
            printed = None if reason else parse_printed(result.batch)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"printed something else than a batch: {error}"[:500]
        stage = BATCH if reason else None
    return BatchEvidence(
        workload=planned.workload,
        role=planned.role,
        schedule=planned.schedule,
        decides=decides(planned.schedule, Target(planned.target)),
        printed=printed,
        stage=stage,
        reason=reason,
    )


def find_foreign_package(found: Mapping[str, str], resolved: Mapping[str, str]) -> str | None:
    """Say which package a batch ran with that was not resolved for the revision, None if none."""
    for name, version in found.items():
        expected = resolved.get(name)
        if expected is None or Version(version) != Version(expected):
            return f"ran with {name} {version}, resolved was {expected or 'none'}"
    return None
