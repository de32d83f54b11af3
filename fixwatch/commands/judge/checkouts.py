"""The user's checkout: which upstream it is, and what stands in it. Only ever read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.commands.judge.project_names import find_project_name
from fixwatch.errors import FixwatchError
from fixwatch.git import GitError, read_line, run_git, split_entries
from fixwatch.history.release_table import FIRST_VERSIONS
from fixwatch.history.revision_names import describe_unknown, iter_spellings
from fixwatch.upstream_texts import parse_moment, parse_version

# Both upstreams' trees have less than 40 MB; more is a core dump or a data set.
MAX_CHANGED_BYTES = 100_000_000


class UnfitTreeError(FixwatchError):
    """The folder holds nothing that can be judged."""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A checkout of an upstream.

    Attributes
    ----------
    root
        Its top folder.
    upstream
        ``numba`` or ``numba-cuda``.
    head
        The commit that is checked out.
    objects
        The folder of the repository's objects.
    """

    root: Path
    upstream: str
    head: str
    objects: Path

    def find_git_path(self, name: str) -> Path:
        """Return where the repository keeps one of its own files."""
        return _find_git_path(self.root, name)

    def list_tags(self) -> dict[str, str]:
        """Return tags and the commits that they stand for."""
        fields = "--format=%(refname:lstrip=2)%00%(*objectname)%00%(objectname)"
        lines = os.fsdecode(run_git(["for-each-ref", fields, "refs/tags"], self.root)).splitlines()
        entries = (line.split("\0") for line in lines)
        return {name: peeled or direct for name, peeled, direct in entries}

    def name_commit(self, commit: str) -> str:
        """Return the tag of a commit that is a version, or its short hash."""
        versions = [
            tag for tag, each in self.list_tags().items() if each == commit and parse_version(tag)
        ]
        return max(versions, key=len, default=commit[:8])

    def get_committer_date(self, commit: str) -> datetime:
        """Return when a commit was made, in UTC."""
        arguments = ["show", "--no-patch", "--format=%cI", commit]
        return parse_moment(read_line(run_git(arguments, self.root))).astimezone(timezone.utc)

    def resolve(self, name: str) -> str:
        """Return the commit that a tag, branch, commit or release number names.

        Raises
        ------
        UnknownRevisionError
            If there is none; the text names the newest release tag.
        """
        for spelling in iter_spellings(name):
            query = [
                "rev-parse",
                "--verify",
                "--quiet",
                "--end-of-options",
                f"{spelling}^{{commit}}",
            ]
            try:
                # The last line: with end-of-options git prints that too.
                return read_line(run_git(query, self.root)).splitlines()[-1]
            except GitError:
                continue
        raise describe_unknown(name, self.upstream, list(self.list_tags()))

    def check_content(self) -> None:
        """Refuse what cannot be judged, or only at a cost that nobody expects.

        Raises
        ------
        UnfitTreeError
            If files are in conflict, or so large that they are no sources.
        """
        unmerged = split_entries(run_git(["ls-files", "-z", "--unmerged"], self.root))
        if unmerged:
            path = unmerged[0].partition("\t")[2]
            raise UnfitTreeError(
                f"{self.root}: {path!r} is in conflict; resolve it, or end the merge"
            )
        listed = ["ls-files", "-z", "--others", "--modified", "--exclude-standard"]
        sizes = {
            path: _size_of(self.root / path) for path in split_entries(run_git(listed, self.root))
        }
        if sum(sizes.values()) > MAX_CHANGED_BYTES:
            largest = max(sizes, key=lambda path: sizes[path])
            raise UnfitTreeError(
                f"{self.root}: changed and untracked files have "
                f"{sum(sizes.values()) / 1e6:.0f} MB, {largest!r} alone "
                f"{sizes[largest] / 1e6:.0f} MB; move that away, or let git ignore it"
            )


def find_checkout(path: Path) -> Checkout:
    """Find the checkout that a path lies in.

    Raises
    ------
    UnfitTreeError
        If there is none, or it is of another project.
    """
    if not path.is_dir():
        what = "a file" if path.exists() else "no such folder"
        raise UnfitTreeError(f"{path}: {what}; give the folder of a numba or numba-cuda checkout")
    try:
        is_inside = read_line(run_git(["rev-parse", "--is-inside-work-tree"], path)) == "true"
    except GitError as error:
        if "not a git repository" in str(error):
            raise UnfitTreeError(
                f"{path}: not a git checkout; give the folder of a clone of numba or numba-cuda"
            ) from error
        raise
    if not is_inside:
        raise UnfitTreeError(f"{path}: has no files checked out; give the folder of a checkout")
    root = Path(read_line(run_git(["rev-parse", "--show-toplevel"], path)))
    try:
        head = read_line(run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], root))
    except GitError as error:
        raise UnfitTreeError(f"{root}: has no commit yet; check one out") from error
    name = find_project_name(root)
    if name not in FIRST_VERSIONS:
        raise UnfitTreeError(
            f"{root}: its metadata names {name or 'no project'}; "
            "give a checkout of numba or numba-cuda"
        )
    return Checkout(root=root, upstream=name, head=head, objects=_find_git_path(root, "objects"))


def _find_git_path(root: Path, name: str) -> Path:
    # Relative to the folder that git runs in.
    return (root / read_line(run_git(["rev-parse", "--git-path", name], root))).absolute()


def _size_of(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # deleted
        return 0
