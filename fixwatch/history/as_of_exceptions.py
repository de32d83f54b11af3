"""What revisions need besides their own metadata, as data, each with reason and reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timezone

from packaging.version import Version


@dataclass(frozen=True, kw_only=True)
class MissingRequirement:
    """Packages that the metadata of a range of releases does not name.

    Attributes
    ----------
    first, last
        The range, both ends included.
    requirements
        What is installed besides, as of the same date.
    reason, reference
        Why, and where it can be seen.
    """

    upstream: str
    first: str
    last: str
    requirements: tuple[str, ...]
    reason: str
    reference: str


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
class CommitConstraint:
    """A bound that the metadata of some days' commits does not have.

    Attributes
    ----------
    first, last
        Committer dates in UTC, both included.
    requirement
        Added to what is resolved, for the build and for the install.
    reason, reference
        Why, and where it can be seen.
    """

    upstream: str
    first: date
    last: date
    requirement: str
    reason: str
    reference: str


COMMIT_CONSTRAINTS = (
    CommitConstraint(
        upstream="numba",
        first=date(2024, 7, 24),
        last=date(2024, 8, 5),
        requirement="numpy<2.0.1",
        reason="the headers of NumPy 2.0.1 do not compile with numba/_helperlib.c of these days",
        reference="gcc: numba/_helperlib.c:22:44: 'I' undeclared, in _complex_float_ctor",
    ),
)

# llvmlite's pre-release bounds stand in numba's development commits long before any llvmlite that
# meets them is on the index, up to 287 days; so for numba's commits it is taken as of today.
EXEMPT_FOR_COMMITS = {"numba": ("llvmlite",)}


def find_missing_requirements(upstream: str, version: str) -> list[str]:
    """Return what a release needs besides its metadata."""
    return list(_iter_missing(upstream, Version(version)))


def find_commit_constraints(upstream: str, committed_at: datetime) -> list[str]:
    """Return the requirements that are added for a commit of that moment."""
    day = committed_at.astimezone(timezone.utc).date()
    return [
        row.requirement
        for row in COMMIT_CONSTRAINTS
        if row.upstream == upstream and row.first <= day <= row.last
    ]


def _iter_missing(upstream: str, version: Version) -> Iterable[str]:
    for row in MISSING_REQUIREMENTS:
        if row.upstream == upstream and Version(row.first) <= version <= Version(row.last):
            yield from row.requirements
