"""Whether two measured revisions are neighbours: then a change between them is exactly placed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from packaging.version import Version

from fixwatch.evidence import Evidence
from fixwatch.history.release_table import Release


def neighbours_in(releases: Sequence[Release]) -> Callable[[Evidence, Evidence], bool]:
    """Return a predicate over the table of releases.

    Two releases are neighbours if no release that is not yanked lies between them in version
    order. Of commits nothing is known without their repository, so they never are.
    """

    def are_neighbours(after: Evidence, at: Evidence) -> bool:
        if after.source != "releases":
            return False
        low, high = Version(after.name), Version(at.name)
        return not any(
            release.upstream == at.upstream
            and not release.is_yanked
            and low < release.parsed_version < high
            for release in releases
        )

    return are_neighbours
