"""What revisions need besides their own metadata, as data, each with reason and reference."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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

# llvmlite's pre-release bounds stand in numba's development commits long before any llvmlite that
# meets them is on the index, up to 287 days; so for numba's commits it is taken as of today.
EXEMPT_FOR_COMMITS = {"numba": ("llvmlite",)}


def find_missing_requirements(upstream: str, version: str) -> list[str]:
    """Return what a release needs besides its metadata."""
    return list(_iter_missing(upstream, Version(version)))


def _iter_missing(upstream: str, version: Version) -> Iterable[str]:
    for row in MISSING_REQUIREMENTS:
        if row.upstream == upstream and Version(row.first) <= version <= Version(row.last):
            yield from row.requirements
