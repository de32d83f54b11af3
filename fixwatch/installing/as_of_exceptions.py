"""What revisions need besides their own metadata, as data, each with reason and reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from packaging.requirements import Requirement
from packaging.version import Version

from fixwatch.installing.wheel_metadata import select_requirements


@dataclass(frozen=True, kw_only=True)
class MissingRequirement:
    """Packages that the metadata of a range of releases does not name."""

    upstream: str
    first: str
    last: str  # still in the range
    requirements: tuple[str, ...]  # installed besides, as of the same date
    reason: str
    reference: str  # where it can be seen


MISSING_REQUIREMENTS = (
    MissingRequirement(
        upstream="numba-cuda",
        first="0.0.12",
        last="0.0.14",
        requirements=("numba",),
        reason="the wheels name no dependency, but run on top of numba",
        reference="METADATA of numba_cuda-0.0.12-py3-none-any.whl",
    ),
    MissingRequirement(
        upstream="numba-cuda",
        first="0.15.2",
        last="0.20.1",
        requirements=("cuda-bindings", "cuda-core"),
        reason="the simulator imports them, but only the extras cu11, cu12 and cu13 name them",
        reference="METADATA of numba_cuda-0.16.0-py3-none-any.whl; ImportError 'CUDA bindings "
        "not found'",
    ),
)


@dataclass(frozen=True, kw_only=True)
class MissingFromMetadata:
    """A package that a commit needs; it is added where the wheel does not name it for everybody."""

    upstream: str
    requirement: str
    extra: str | None  # the one that names it in such wheels, and so has the bounds
    reason: str
    reference: str  # where it can be seen


# By content, not by date: maintenance releases of 2026 still have the metadata of mid 2025.
MISSING_FROM_METADATA = (
    MissingFromMetadata(
        upstream="numba-cuda",
        requirement="numba",
        extra=None,
        reason="commits before e0514d7f (2024-07-31) name no dependency, but run on top of numba",
        reference="pyproject.toml of v0.0.12",
    ),
    MissingFromMetadata(
        upstream="numba-cuda",
        requirement="cuda-bindings",
        extra="cu12",
        reason="from 489045fe (2025-06-27) to 2df2c59a (2025-10-14) the simulator imports it, but "
        "only extras name it",
        reference="pyproject.toml of v0.16.0; ImportError 'CUDA bindings not found'",
    ),
    MissingFromMetadata(
        upstream="numba-cuda",
        requirement="cuda-core",
        extra="cu12",
        reason="as for cuda-bindings",
        reference="pyproject.toml of v0.16.0",
    ),
)


@dataclass(frozen=True, kw_only=True)
class CommitConstraint:
    """A bound that the metadata of some days' commits does not have, for builds and installs."""

    upstream: str
    first: date  # of the committer, in UTC
    last: date  # still in the range
    constraint: str
    reason: str
    reference: str  # where it can be seen


COMMIT_CONSTRAINTS = (
    CommitConstraint(
        upstream="numba",
        first=date(2024, 7, 24),
        last=date(2024, 8, 5),
        constraint="numpy<2.0.1",
        reason="the headers of NumPy 2.0.1 do not compile with numba/_helperlib.c of these days",
        reference="gcc: numba/_helperlib.c:22:44: 'I' undeclared, in _complex_float_ctor",
    ),
    CommitConstraint(
        upstream="numba-cuda",
        first=date(2025, 10, 27),
        last=date(2026, 7, 2),
        constraint="numba<0.66",
        reason="their numba.cuda.types imports what numba 0.66.0 (2026-07-01) no longer has",
        reference="AttributeError: module 'numba.cuda.types' has no attribute 'NPDatetime'",
    ),
)

# llvmlite's pre-release bounds stand in numba's development commits long before any llvmlite that
# meets them is on the index, up to 287 days; so for numba's commits it is taken as of today.
EXEMPT_FOR_COMMITS = {"numba": ("llvmlite",)}


def find_missing_requirements(upstream: str, version: str) -> list[str]:
    """Return what a release needs besides its metadata."""
    return [
        requirement
        for row in MISSING_REQUIREMENTS
        if row.upstream == upstream and Version(row.first) <= Version(version) <= Version(row.last)
        for requirement in row.requirements
    ]


def find_requirements_beside(
    upstream: str, requirements: Sequence[Requirement], *, with_extras: bool = True
) -> list[str]:
    """Return what a commit needs besides what its wheel names for everybody.

    Without extras it is what no extra of the wheel names either.
    """
    required = {requirement.name for requirement in select_requirements(requirements)}
    found = []
    for row in MISSING_FROM_METADATA:
        if row.upstream != upstream or row.requirement in required:
            continue
        if row.extra is None:
            found.append(row.requirement)
        elif with_extras:
            found += [
                f"{row.requirement}{requirement.specifier}"
                for requirement in select_requirements(requirements, row.extra)
                if requirement.name == row.requirement
            ]
    return found


def find_commit_constraints(upstream: str, committed_at: datetime) -> list[str]:
    """Return the bounds that are added for a commit of that moment."""
    day = committed_at.astimezone(timezone.utc).date()
    return [
        row.constraint
        for row in COMMIT_CONSTRAINTS
        if row.upstream == upstream and row.first <= day <= row.last
    ]
