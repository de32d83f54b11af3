"""The list of an upstream's relevant commits, kept with the results.

From it the order of commits, what is still to be measured and whether two are neighbours are known
wherever the results are, without the repository.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from pydantic import ConfigDict, TypeAdapter

from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.records import fields
from fixwatch.records.fields import Closed, describe_violation

# asv takes every other .json file below its results for a result.
LISTING_NAME = "relevant-commits.jsonl"
FORMAT_VERSION = 1
# Whose listings do not name their target.
SIMULATOR = "simulator"


@dataclass(frozen=True, kw_only=True)
class ListedCommit(Closed):
    """A commit of the history."""

    commit: fields.Name  # the full hash
    name: fields.Text  # tag or short hash
    date: fields.Moment  # in UTC
    is_on_branch: bool  # not made beside it
    reasons: tuple[fields.Text, ...]  # why it is measured; empty for one that was only asked for


@dataclass(frozen=True, kw_only=True)
class _Header:
    """The first line of the file. That of another version may say more."""

    __pydantic_config__ = ConfigDict(strict=True)

    version: int
    upstream: fields.Upstream
    target: fields.Target = SIMULATOR


_COMMIT = TypeAdapter(ListedCommit)
_HEADER = TypeAdapter(_Header)


@dataclass(frozen=True)
class Listing:
    """The commits of an upstream in the order of its branch, oldest first."""

    upstream: str
    commits: tuple[ListedCommit, ...]
    target: str = SIMULATOR  # for which they are relevant

    def __contains__(self, commit: object) -> bool:
        return commit in self._places

    def find_place(self, commit: str, date: str) -> float:
        """Return where a commit stands; one that is not listed stands where its date would be."""
        if commit in self._places:
            return self._places[commit]
        return bisect.bisect_right(self._dates, date) - 0.5

    def is_on_branch(self, commit: str) -> bool:
        """Whether a commit counts for the branch; one that is not listed does."""
        place = self._places.get(commit)
        return place is None or self.commits[place].is_on_branch

    def between(self, after: float, at: float) -> list[ListedCommit]:
        """Return the relevant commits of the branch between two places, both excluded."""
        return [
            commit
            for place, commit in enumerate(self.commits)
            if after < place < at and commit.is_on_branch and commit.reasons
        ]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {commit.commit: place for place, commit in enumerate(self.commits)}

    @cached_property
    def _dates(self) -> list[str]:
        # A committer's clock may run backwards; for commits that are not listed it is near enough.
        return sorted(commit.date for commit in self.commits)


def save_listing(listing: Listing, results_dir: Path) -> None:
    """Write a listing, whole or not at all, unless it is there already."""
    header: dict[str, object] = {"version": FORMAT_VERSION, "upstream": listing.upstream}
    if listing.target != SIMULATOR:
        header["target"] = listing.target
    lines = [header, *map(asdict, listing.commits)]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    path = results_dir / LISTING_NAME
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        write_text_atomically(path, text)


def load_listing(results_dir: Path) -> Listing | None:
    """Read the listing of a results folder; None if it has none."""
    path = results_dir / LISTING_NAME
    if not path.is_file():
        return None
    try:
        first, *lines = path.read_bytes().splitlines()
        header = _HEADER.validate_json(first)
        if header.version != FORMAT_VERSION:
            raise FixwatchError(
                f"{path}: format version {header.version}, this program reads "
                f"{FORMAT_VERSION}; update Fixwatch"
            )
        return Listing(header.upstream, tuple(map(_COMMIT.validate_json, lines)), header.target)
    except (OSError, ValueError) as error:
        raise FixwatchError(
            f"{path}: not a list of commits ({describe_violation(error)}); remove it, the next asv "
            "run writes it anew"
        ) from error


def load_listings(results_dirs: Iterable[Path]) -> dict[str, Listing]:
    """Read the listings of several results folders, by `name_listing`."""
    listings = filter(None, map(load_listing, results_dirs))
    return {name_listing(listing.upstream, listing.target): listing for listing in listings}


def name_listing(upstream: str, target: str) -> str:
    """Return what the listing of an upstream's commits is found by; they differ by target."""
    return upstream if target == SIMULATOR else f"{upstream} {target}"
