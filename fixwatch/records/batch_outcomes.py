"""From what a runner left of a planned batch to what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packaging.version import Version

from fixwatch.records.evidence import PrintedBatch, parse_printed
from fixwatch.records.install_record import BATCH


def take_outcome(
    printed: Mapping[str, Any] | None,
    stage: str | None,
    reason: str | None,
    packages: Mapping[str, str],
) -> tuple[PrintedBatch | None, str | None, str | None]:
    """Return the counts of a batch, or None with the stage that failed and the reason.

    A batch that ran with other packages than the revision's counts for nothing.

    Parameters
    ----------
    printed, stage, reason
        What the batch printed, or the step that failed and how.
    packages
        What was resolved for the revision.
    """
    if printed is None:
        return None, stage, reason
    try:
        foreign = find_foreign_package(printed["packages"], packages)
        return (None, BATCH, foreign) if foreign else (parse_printed(printed), None, None)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return None, BATCH, f"printed something else than a batch: {error}"[:500]


def find_foreign_package(found: Mapping[str, str], resolved: Mapping[str, str]) -> str | None:
    """Say which package a batch ran with that was not resolved for the revision, None if none."""
    for name, version in found.items():
        expected = resolved.get(name)
        if expected is None or Version(version) != Version(expected):
            return f"ran with {name} {version}, resolved was {expected or 'none'}"
    return None
