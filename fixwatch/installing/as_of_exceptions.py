"""What revisions need besides their own metadata; the rows have each a reason and a reference."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timezone

from packaging.requirements import Requirement
from packaging.version import Version

from fixwatch.installing.wheel_metadata import select_requirements
from fixwatch.toml_tables import Table, load_table


class _Row(Table):
    upstream: str
    reason: str
    reference: str  # where it can be seen


class MissingRequirement(_Row):
    """Packages that the metadata of a range of releases does not name."""

    first: str
    last: str
    requirements: tuple[str, ...]


class MissingFromMetadata(_Row):
    """A package that a commit needs; it is added where the wheel does not name it for everybody."""

    requirement: str
    extra: str | None = None


class CommitConstraint(_Row):
    """A bound that the metadata of some days' commits does not have."""

    first: date
    last: date
    constraint: str


class Exceptions(Table):
    """The rows of `as_of_exceptions.toml`."""

    releases: tuple[MissingRequirement, ...]
    commits: tuple[MissingFromMetadata, ...]
    constraints: tuple[CommitConstraint, ...]
    exempt_for_commits: dict[str, tuple[str, ...]]


EXCEPTIONS = load_table(__file__, Exceptions)


def find_missing_requirements(upstream: str, version: str) -> list[str]:
    """Return what a release needs besides its metadata."""
    return [
        requirement
        for row in EXCEPTIONS.releases
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
    for row in EXCEPTIONS.commits:
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
        for row in EXCEPTIONS.constraints
        if row.upstream == upstream and row.first <= day <= row.last
    ]
