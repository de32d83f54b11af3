"""What is installed together with a commit's wheel, as of the commit's date."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from fixwatch.installing.as_of import Resolution, resolve_as_of
from fixwatch.installing.as_of_exceptions import (
    EXEMPT_FOR_COMMITS,
    find_commit_constraints,
    find_requirements_beside,
)
from fixwatch.installing.cuda_parts import NO_CUDA_REQUIREMENTS, CudaRequirements
from fixwatch.installing.wheel_metadata import read_wheel_metadata


def resolve_commit(
    upstream: str,
    wheel: Path,
    committed_at: datetime,
    python: Path,
    parts: CudaRequirements = NO_CUDA_REQUIREMENTS,
) -> Resolution:
    """Resolve a commit's wheel with all that it needs, what its metadata leaves out included.

    Parameters
    ----------
    upstream, wheel, committed_at
        The commit's.
    python
        The interpreter to resolve for.
    parts
        What is installed besides for a device.

    Raises
    ------
    ResolutionError, IndexUnreachableError
        As `resolve_as_of`.
    """
    return resolve_as_of(
        [
            f"{parts.name(upstream)} @ {wheel.absolute().as_uri()}",
            *parts.requirements,
            # What an extra names has the bounds of its own generation of CUDA.
            *find_requirements_beside(
                upstream, read_wheel_metadata(wheel), with_extras=parts.extra is None
            ),
        ],
        committed_at,
        python,
        constraints=[*find_commit_constraints(upstream, committed_at), *parts.constraints],
        exempt=EXEMPT_FOR_COMMITS.get(upstream, ()),
    )
