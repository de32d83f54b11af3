"""The histories as asv's repositories: upstream's commits, and the releases as commits."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asv import util
from asv.console import log
from asv.plugins.git import Git
from asv.repo import NoSuchNameError

from fixwatch.errors import FixwatchError
from fixwatch.git import GitError, run_git
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.release_repository import REPOSITORY_DIR, build_release_repository
from fixwatch.history.release_table import load_release_table
from fixwatch.history.repository import Repository
from fixwatch.history.revision_names import UnknownRevisionError
from mwe.targets import Target


class NoSuchRevisionError(util.UserError, NoSuchNameError):  # type: ignore[misc]
    """A name that is no revision, in the two classes that asv tells such an error by."""


@contextlib.contextmanager
def _errors_for_asv() -> Iterator[None]:
    """Turn errors of Fixwatch into those that asv prints in one line."""
    try:
        yield
    except UnknownRevisionError as error:
        raise NoSuchRevisionError(str(error)) from error
    except FixwatchError as error:
        raise util.UserError(str(error)) from error


@contextlib.contextmanager
def _failed_process(command: str) -> Iterator[None]:
    """Turn an error of git into the one that asv takes for a build that failed."""
    try:
        yield
    except GitError as error:
        raise util.ProcessError(["git", command], 1, "", error.reason) from error


class _History(Git):  # type: ignore[misc]
    """A repository that asv reads through `Repository`; the configuration's `dvcs` chooses it."""

    dvcs: str | None = None

    def __init__(self, repository: Repository) -> None:
        # Not asv's own, which would clone what is missing.
        self.repository = repository
        self._path = str(repository.folder)
        self._pulled = False

    @classmethod
    def url_match(cls, url: str) -> bool:
        """Leave it to the configuration's `dvcs` to choose this class."""
        del url
        return False

    @_errors_for_asv()
    def get_hash_from_name(self, name: str) -> str:
        """Resolve a tag, branch, commit or release number."""
        return self.repository.resolve(name)

    @_errors_for_asv()
    def get_hashes_from_range(self, range_spec: str) -> list[str]:
        """List the first-parent commits of a range, newest first, its lower end included."""
        return self.repository.resolve_range(range_spec)

    @_errors_for_asv()
    def get_branch_commits(self, branch: str) -> list[str]:
        """List all commits of a branch, for asv to find where a result belongs."""
        return self.repository.resolve_range(branch)

    @_errors_for_asv()
    def get_tags(self) -> dict[str, str]:
        """Return tags and their commits, in one call of git instead of one for each tag."""
        return self.repository.list_tags()

    def checkout(self, path: str, commit_hash: str) -> None:
        """Leave the files of a commit in a work tree."""
        with _failed_process("checkout"):
            self.repository.check_out(commit_hash, Path(path))

    def _run_git(self, args: list[str], **_options: Any) -> str:
        """Run what asv itself asks of git like every other call."""
        with _failed_process(args[0]):
            return run_git(args, self.repository.folder).decode("utf-8", "replace")


class UpstreamCommits(_History):
    """The commits of an upstream that can change what is measured."""

    dvcs = "fixwatch-commits"
    lists_relevant_only = True
    target = Target.SIMULATOR

    @_errors_for_asv()
    def __init__(self, url: str, project: str) -> None:
        self.mirror = UpstreamMirror(url, project, log.info, self.target.value)
        super().__init__(self.mirror)

    @_errors_for_asv()
    def get_hashes_from_range(self, range_spec: str) -> list[str]:
        """List the commits of a range to measure, newest first."""
        return list(
            self.mirror.select_from_range(range_spec, relevant_only=self.lists_relevant_only)
        )

    def pull(self) -> None:
        """Fetch what is new, once a run."""
        if not self._pulled:
            log.info("Fetching recent changes")
            self.mirror.pull(log.warning)
        self._pulled = True


class AllUpstreamCommits(UpstreamCommits):
    """The same without the filter of relevant commits, for the configuration to choose."""

    dvcs = "fixwatch-all-commits"
    lists_relevant_only = False


class CompilerCommits(UpstreamCommits):
    """The commits that can change what a compiler makes of a kernel."""

    dvcs = "fixwatch-compiler-commits"
    target = Target.COMPILER


class DeviceCommits(UpstreamCommits):
    """The commits that can change what happens on a device."""

    dvcs = "fixwatch-device-commits"
    target = Target.CUDA


class ReleaseHistory(_History):
    """The table of releases, a commit for each."""

    dvcs = "fixwatch-releases"

    @_errors_for_asv()
    def __init__(self, url: str, project: str) -> None:
        build_release_repository(load_release_table(Path(url)))
        super().__init__(Repository(REPOSITORY_DIR.absolute(), project))

    def pull(self) -> None:
        """Fetch nothing: the table is all there is."""
