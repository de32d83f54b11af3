"""The history of what is published, for asv: known from the results alone, without a repository."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from asv.repo import NoSuchNameError, Repo
from asv.util import UserError
from packaging.version import Version

from fixwatch.history.listing import SIMULATOR
from fixwatch.history.order import Place, RevisionOrder
from fixwatch.history.revision_names import iter_spellings
from fixwatch.records.evidence import Evidence
from fixwatch.upstream_texts import parse_moment, parse_version


class NoSuchPublishedNameError(UserError, NoSuchNameError):  # type: ignore[misc]
    """A name that no published revision has, in the two classes that asv tells such an error by."""


@dataclass(frozen=True, kw_only=True)
class PublishedRevision:
    """A commit or a release that asv's pages may show."""

    commit: str
    name: str  # tag, version or short hash
    date: str  # ISO-8601
    is_listed: bool = True  # in the list of relevant commits, or a release

    @property
    def tag(self) -> str | None:
        """Its name if that is a version; whatever else somebody tagged is no text for a graph."""
        is_tag = self.name != self.commit[:8] and parse_version(self.name) is not None
        return self.name if is_tag else None


@dataclass(frozen=True)
class PublishedBranch:
    """The revisions of an upstream, oldest first: a branch and the releases beside it."""

    name: str
    revisions: tuple[PublishedRevision, ...]

    @property
    def unlisted(self) -> list[str]:
        """The names of the commits that were measured and are not listed."""
        return [revision.name for revision in self.revisions if not revision.is_listed]


def find_branch(
    name: str, upstream: str, source: str, records: Iterable[Evidence], order: RevisionOrder
) -> PublishedBranch:
    """Return what is listed of an upstream and what was measured.

    A commit that was measured and is not listed stands where its date would be.
    """
    records = list(records)
    targets = {record.target for record in records if record.upstream == upstream}
    target = targets.pop() if len(targets) == 1 else SIMULATOR
    listing = order.find_listing(upstream, target) if source == "commits" else None
    found: dict[str, tuple[Place, PublishedRevision]] = {}
    if listing is not None:
        for listed in listing.commits:
            place = Version("0"), listing.find_place(listed.commit, listed.date), listed.date
            revision = PublishedRevision(commit=listed.commit, name=listed.name, date=listed.date)
            found[listed.commit] = place, revision
    for record in records:
        if record.upstream == upstream and record.commit not in found:
            revision = PublishedRevision(
                commit=record.commit,
                name=record.name,
                date=record.date,
                is_listed=source != "commits",
            )
            found[record.commit] = order.find_place(record), revision
    ranked = sorted(found.values(), key=lambda item: (item[0], item[1].commit))
    return PublishedBranch(name, tuple(revision for _, revision in ranked))


class PublishedHistory(Repo):  # type: ignore[misc]
    """What asv asks of a repository when it publishes.

    asv passes on what the configuration has for `repo`, here the branch itself and not an address.
    """

    dvcs = "fixwatch-published"

    def __init__(self, branch: PublishedBranch, project: str) -> None:
        self.project = project
        self._branch = branch
        self._revisions = branch.revisions
        self._places = {revision.commit: place for place, revision in enumerate(self._revisions)}

    @classmethod
    def url_match(cls, url: str) -> bool:
        """Leave it to `dvcs` to choose this class."""
        del url
        return False

    def pull(self) -> None:
        """Fetch nothing: the branch is all there is."""

    def get_tags(self) -> dict[str, str]:
        """Return the versions and their commits."""
        return {revision.tag: revision.commit for revision in self._revisions if revision.tag}

    def get_revisions(self, commits: Collection[str]) -> dict[str, int]:
        """Return the places of those of the commits that are on the branch, in its order."""
        return {commit: place for commit, place in self._places.items() if commit in commits}

    def get_date(self, commit: str) -> int:
        """Return when a commit was made, in milliseconds."""
        moment = parse_moment(self._revisions[self._places[commit]].date)
        return int(moment.timestamp() * 1000)

    def get_date_from_name(self, name: str) -> int:
        """Return the same for a name."""
        return self.get_date(self.get_hash_from_name(name))

    def get_hash_from_name(self, name: str) -> str:
        """Return the commit of a release, the branch or the beginning of a hash."""
        return self._revisions[self._find_place(name)].commit

    def get_branch_commits(self, branch: str) -> list[str]:
        """Return all commits, newest first."""
        del branch
        return [revision.commit for revision in reversed(self._revisions)]

    def get_hashes_from_range(self, range_spec: str) -> list[str]:
        """Return the commits of ``A..B``, newest first, both ends included, or all up to ``B``."""
        lower, _, upper = range_spec.rpartition("..")
        first = self._find_place(lower) if lower else 0
        chosen = self._revisions[first : self._find_place(upper) + 1]
        return [revision.commit for revision in reversed(chosen)]

    def get_range_spec(self, commit_a: str, commit_b: str) -> str:
        """Return how a range is written, for a configuration that lets asv look for regressions."""
        return f"{commit_a}..{commit_b}"

    def _find_place(self, name: str) -> int:
        if name == self._branch.name:
            return len(self._revisions) - 1
        names = {revision.name: place for place, revision in enumerate(self._revisions)}
        for spelling in iter_spellings(name):
            if spelling in names:
                return names[spelling]
        found = [place for commit, place in self._places.items() if commit.startswith(name)]
        if len(found) == 1:
            return found[0]
        raise NoSuchPublishedNameError(
            f"no revision {name!r} of {self.project} was measured; name a release or a commit that "
            "was, as in v0.57..main"
        )
