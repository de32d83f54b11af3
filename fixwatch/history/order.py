"""The order of an upstream's revisions, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from packaging.version import Version

from fixwatch.history.listing import (
    SIMULATOR,
    ListedCommit,
    Listing,
    load_listings,
    name_listing,
)
from fixwatch.history.release_table import Release, load_release_table
from fixwatch.records.evidence import Evidence
from fixwatch.upstream_texts import parse_version

# Compares within a source of an upstream, never across.
Place = tuple[Version, float, str]


@dataclass(frozen=True)
class RevisionOrder:
    """The table of releases, and by `name_listing` the commits that are listed with the results."""

    releases: Sequence[Release] = ()
    listings: Mapping[str, Listing] = field(default_factory=dict)

    def find_place(self, record: Evidence) -> Place:
        """Return where a revision stands.

        Releases stand in the order of their versions, so that a late maintenance release reopens
        nothing; commits in that of their branch.
        """
        if record.source == "releases":
            return parse_version(record.name) or Version("0"), 0.0, record.date
        listing = self.find_listing(record.upstream, record.target)
        place = listing.find_place(record.commit, record.date) if listing else 0.0
        return Version("0"), place, record.date

    def is_on_branch(self, record: Evidence) -> bool:
        """Whether a revision can open or close anything: not if it was made beside the branch."""
        if record.source == "releases":
            return True
        listing = self.find_listing(record.upstream, record.target)
        return listing is None or listing.is_on_branch(record.commit)

    def are_neighbours(self, after: Evidence, at: Evidence) -> bool:
        """Whether no relevant revision lies between two: then a change is exactly placed.

        That is a release that is not yanked, or a listed commit of the branch. Of commits that
        are not listed nothing is known, so they are not.
        """
        if after.source == "releases":
            low, high = Version(after.name), Version(at.name)
            return not any(
                release.upstream == at.upstream
                and not release.is_yanked
                and low < release.parsed_version < high
                for release in self.releases
            )
        listing = self.find_listing(at.upstream, at.target)
        if listing is None or after.commit not in listing or at.commit not in listing:
            return False
        places = [listing.find_place(record.commit, record.date) for record in (after, at)]
        return not listing.between(*places)

    def find_listing(self, upstream: str, target: str) -> Listing | None:
        """Return the commits that are listed of an upstream for a target; None if none are."""
        return self.listings.get(name_listing(upstream, target))

    def find_unmeasured(
        self, upstream: str, source: str, measured: Iterable[str], target: str = SIMULATOR
    ) -> tuple[ListedCommit, ...]:
        """Return the relevant commits of an upstream of which there is no record, oldest first."""
        listing = self.find_listing(upstream, target)
        if source != "commits" or listing is None:
            return ()
        known = set(measured)
        return tuple(row for row in listing.commits if row.reasons and row.commit not in known)


def load_order(results_dirs: Iterable[Path]) -> RevisionOrder:
    """Return the order from the table of releases and what is listed in results folders."""
    return RevisionOrder(load_release_table(), load_listings(results_dirs))
