"""From what a runner left of a planned batch to what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.version import Version

from fixwatch.records.evidence import BatchEvidence, parse_printed
from fixwatch.records.install_record import BATCH


def describe_batch(
    identity: Mapping[str, Any],
    packages: Mapping[str, str],
    *,
    batch: Mapping[str, Any] | None = None,
    stage: str | None = None,
    reason: str | None = None,
) -> BatchEvidence:
    """Return what is stored of a planned batch: its counts, or the stage that failed and why.

    A batch that ran with other packages than those resolved for the revision counts for nothing.
    """
    printed = None
    if batch is not None:
        try:
            reason = find_foreign_package(batch["packages"], packages)
            printed = None if reason else parse_printed(batch)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            reason = f"printed something else than a batch: {error}"[:500]
        stage = BATCH if reason else None
    return BatchEvidence(**identity, printed=printed, stage=stage, reason=reason)


def find_foreign_package(found: Mapping[str, str], resolved: Mapping[str, str]) -> str | None:
    """Say which package a batch ran with that was not resolved for the revision, None if none."""
    for name, version in found.items():
        expected = resolved.get(name)
        if expected is None or Version(version) != Version(expected):
            return f"ran with {name} {version}, resolved was {expected or 'none'}"
    return None
