"""A repository of an upstream's history: its tags, and the commits that names stand for."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.git import GitError, check_out, read_line, run_git
from fixwatch.history.revision_names import describe_unknown, iter_spellings, resolve_range
from fixwatch.upstream_texts import make_printable, parse_moment, parse_version


class Repository:
    """A repository of an upstream, bare or not, in which release numbers name revisions."""

    def __init__(self, folder: Path, upstream: str) -> None:
        self.folder = folder
        self.upstream = upstream

    def resolve(self, name: str) -> str:
        """Return the commit that a tag, branch, commit or release number names.

        If there is none, an `UnknownRevisionError` names the newest release tag.
        """
        for spelling in iter_spellings(name):
            query = ["rev-parse", "--verify", "--quiet", "--end-of-options", spelling + "^{commit}"]
            try:
                # The last line: before git 2.41 it prints --end-of-options too.
                return read_line(run_git(query, self.folder)).splitlines()[-1]
            except GitError:
                continue
        raise describe_unknown(name, self.upstream, list(self.list_tags()))

    def resolve_range(self, range_spec: str) -> list[str]:
        """List the first-parent commits of a range, newest first, its lower end included.

        Git's ``a..b`` leaves out ``a``; who asks for ``v0.57..main`` wants 0.57 measured too.
        """
        arguments = resolve_range(range_spec, self.resolve)
        try:
            commits = self._list_first_parents(arguments)
            for lower, dots, _ in (argument.partition("..") for argument in arguments):
                if dots and lower:
                    ends = self._list_first_parents(["-n", "1", lower])
                    commits += [end for end in ends if end not in commits]
        except GitError as error:
            raise GitError(
                f"git cannot read the range {range_spec!r}: {error.reason}", error.reason
            ) from error
        return commits

    def list_tags(self) -> dict[str, str]:
        """Return tags and the commits that they stand for."""
        fields = "--format=%(refname:lstrip=2)%00%(*objectname)%00%(objectname)"
        output = os.fsdecode(run_git(["for-each-ref", fields, "refs/tags"], self.folder))
        entries = (line.split("\0") for line in output.splitlines())
        return {name: peeled or direct for name, peeled, direct in entries}

    def find_names(self) -> dict[str, str]:
        """Return a tag of each commit that has one: a version before anything else, then length.

        So a release is named by its version, ``0.57.0`` rather than ``0.57``, whoever else tags it.
        """

        def rank(item: tuple[str, str]) -> tuple[bool, int, str]:
            name, _ = item
            return parse_version(name) is not None, len(name), name

        tags = sorted(self.list_tags().items(), key=rank)
        return {commit: make_printable(name) for name, commit in tags}

    def name_commit(self, commit: str) -> str:
        """Return the tag of a commit that has one, or its short hash."""
        return self.find_names().get(commit, commit[:8])

    def get_committer_date(self, commit: str) -> datetime:
        """Return when a commit was made, in UTC."""
        arguments = ["show", "--no-patch", "--format=%cI", "--end-of-options", commit]
        return parse_moment(read_line(run_git(arguments, self.folder))).astimezone(timezone.utc)

    def check_out(self, commit: str, work_tree: Path) -> None:
        """Leave the files of a commit in a work tree, which borrows the objects of this repository.

        One that cannot be used, because a git that was killed left it locked, say, is made anew.
        """
        try:
            check_out(work_tree, commit)
        except GitError:
            shutil.rmtree(work_tree, ignore_errors=True)
            arguments = ["clone", "--quiet", "--shared", "--no-checkout", "--"]
            run_git([*arguments, str(self.folder), str(work_tree)], self.folder, may_fetch=True)
            check_out(work_tree, commit)

    def _list_first_parents(self, arguments: Sequence[str]) -> list[str]:
        """Return what ``git rev-list`` lists for revisions and options, newest first."""
        output = run_git(["rev-list", "--first-parent", *arguments, "--"], self.folder)
        return output.decode().split()
