"""Mirrors of the upstreams' repositories: which commits to measure, and in which order."""

from __future__ import annotations

import bisect
import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.errors import FixwatchError
from fixwatch.git import GitError, run_git
from fixwatch.history.listing import (
    SIMULATOR,
    ListedCommit,
    Listing,
    load_listing,
    save_listing,
)
from fixwatch.history.release_table import FIRST_VERSIONS
from fixwatch.history.relevance import (
    END_OF_RANGE,
    explain_relevance,
    find_relevant_parts,
    is_filter_lifted,
    select_commits,
)
from fixwatch.history.repository import Repository
from fixwatch.history.revision_names import resolve_range
from fixwatch.layout import STATE_DIR
from fixwatch.upstream_texts import parse_version

Announce = Callable[[str], None]

# Why the search of a range begins where it does.
BESIDE_THE_BRANCH = "the lower end's branch leaves here"
EVERY_COMMIT = ("every commit",)
# Of a clone or a fetch; a clone that is older was killed.
FETCH_LIMIT_S = 3600.0


class UpstreamMirror(Repository):
    """A mirror of an upstream's repository, kept below `STATE_DIR`.

    If there is none yet, it is cloned from the address, which is announced.
    """

    def __init__(
        self, url: str, upstream: str, announce: Announce, target: str = SIMULATOR
    ) -> None:
        folder = (STATE_DIR / "mirrors" / upstream).absolute()
        super().__init__(folder, upstream)
        self._target = target  # for which commits are relevant or not
        self._has_listed_history = False
        if not (folder / "HEAD").is_file():
            announce(f"Cloning {url}")
            _clone(url, folder)

    def pull(self, announce: Announce) -> None:
        """Fetch what is new; where upstream cannot be reached, go on with what is here."""
        try:
            run_git(
                ["fetch", "--quiet", "origin"], self.folder, may_fetch=True, limit_s=FETCH_LIMIT_S
            )
        except GitError:
            announce("upstream cannot be reached; going on with the commits fetched before")

    def select_from_range(
        self, range_spec: str, *, relevant_only: bool = True
    ) -> dict[str, tuple[str, ...]]:
        """List the commits of a range to measure, newest first, with the reasons for each.

        A single commit is listed whatever it touches. ``FIXWATCH_ALL_COMMITS=1`` in the environment
        lifts the filter, as `relevant_only` does.
        """
        commits = self.resolve_range(range_spec)
        if not relevant_only or is_filter_lifted():
            return dict.fromkeys(commits, EVERY_COMMIT)
        return self._select(commits, self._find_final_releases())

    def list_history(self, branch: str, asked_for: Iterable[str] = ()) -> Listing:
        """List the relevant commits of a branch and its releases, in the order of the branch.

        They begin with its first release that is tracked, or with its first commit if it has none.
        Commits that somebody asked for are placed among them.
        """
        newest = self.resolve(branch)
        commits = self._list_first_parents([newest])
        releases = self._find_final_releases()
        times = self._find_times({*commits, *releases, *asked_for})
        # What this mirror does not have, a branch that was pushed over, say, has no place.
        asked_for = [commit for commit in asked_for if commit in times]
        if releases:
            oldest = min(releases, key=lambda commit: times[commit])
            since = self._list_first_parents([f"{oldest}..{newest}"])
            commits = [*since, oldest] if oldest in commits else since
        on_branch = {commit: place for place, commit in enumerate(reversed(commits))}
        reasons: dict[str, tuple[str, ...]] = dict.fromkeys(asked_for, ())
        for commit, why in self._select(commits, releases).items():
            # The end of the branch today is none tomorrow.
            lasting = tuple(reason for reason in why if reason != END_OF_RANGE)
            if lasting:
                reasons[commit] = lasting
        branch_times = [times[commit] for commit in on_branch]

        def find_place(commit: str) -> tuple[float, float]:
            """Place what is beside the branch by its date."""
            if commit in on_branch:
                return on_branch[commit], 0.0
            return bisect.bisect_right(branch_times, times[commit]) - 0.5, times[commit]

        ordered = {commit: reasons[commit] for commit in sorted(reasons, key=find_place)}
        return Listing(self.upstream, tuple(self._describe(ordered, on_branch)), self._target)

    def list_range(self, range_spec: str, *, relevant_only: bool) -> list[ListedCommit]:
        """List the commits from one revision to another along the first parents, oldest first.

        A lower end that lies beside, as a tag on a branch of its own does, is replaced by the
        commit where its branch leaves; its reason then says so.

        A range that is not of the form ``A..B``, or empty, is a `FixwatchError`.
        """
        ends = range_spec.split("..")
        if len(ends) != 2 or not all(ends) or any(end[0] in ".-^" for end in ends):
            raise FixwatchError(f"range {range_spec!r} is not of the form A..B; name two ends")
        lower, upper = (self._resolve_end(end, range_spec) for end in ends)
        commits = self._list_first_parents([f"{lower}..{upper}"])
        if not commits:
            raise FixwatchError(
                f"no commit leads from the first to the second end of {range_spec!r}; "
                "give the older one first"
            )
        start = self._list_first_parents(["-n", "2", commits[-1]])[1:]
        commits += start
        reasons: dict[str, tuple[str, ...]] = dict.fromkeys(commits, EVERY_COMMIT)
        if relevant_only and not is_filter_lifted():
            releases = self._find_final_releases()
            on_branch = {commit: releases[commit] for commit in commits if commit in releases}
            reasons = self._select(commits, on_branch)
        if start and start[0] != lower:
            reasons[start[0]] = (BESIDE_THE_BRANCH, *reasons[start[0]])
        # A committer's clock may run backwards; the branch has an order of its own.
        ordered = {commit: reasons[commit] for commit in reversed(commits) if commit in reasons}
        return self._describe(ordered, ordered)

    def list_between(self, after: str, at: str) -> list[ListedCommit]:
        """List the commits between two of the branch, both excluded, oldest first.

        They have no reasons to be measured.
        """
        commits = reversed(self._list_first_parents([f"{after}..{at}"]))
        reasons: dict[str, tuple[str, ...]] = {commit: () for commit in commits if commit != at}
        return self._describe(reasons, reasons)

    def refresh_listing(
        self, results_dir: Path, branch: str, commits: Sequence[str], report: Announce
    ) -> None:
        """Bring the list of relevant commits beside results up to date, once or as it grows.

        The commits that were measured are all listed, relevant or not. A list that cannot be read
        is reported and written anew.
        """
        try:
            known = load_listing(results_dir)
        except FixwatchError as error:
            report(str(error))
            known = None
        if known and self._has_listed_history and all(commit in known for commit in commits):
            return
        asked_for = dict.fromkeys(commits)
        if known:
            asked_for |= {listed.commit: None for listed in known.commits if not listed.reasons}
        listing = self.list_history(branch, asked_for)
        save_listing(listing, results_dir)
        self._has_listed_history = True

    def _resolve_end(self, end: str, range_spec: str) -> str:
        """Return the commit of one end of a range, such as ``v0.57`` or ``main~3``."""
        arguments = resolve_range(end, self.resolve)
        commits = self._list_first_parents(["-n", "1", *arguments])
        if len(arguments) != 1 or not commits:
            raise FixwatchError(f"range {range_spec!r} is not of the form A..B; name two ends")
        return commits[0]

    def _select(
        self, commits: Sequence[str], releases: Mapping[str, str]
    ) -> dict[str, tuple[str, ...]]:
        times = self._find_times({*commits, *releases})
        return select_commits(commits, self._find_touching(commits), releases, times)

    def _describe(
        self, reasons: Mapping[str, tuple[str, ...]], on_branch: Iterable[str]
    ) -> list[ListedCommit]:
        """Return commits as they are listed, in the order of their reasons."""
        names, times, own = self.find_names(), self._find_times(reasons), frozenset(on_branch)
        return [
            ListedCommit(
                commit=commit,
                name=names.get(commit, commit[:8]),
                date=datetime.fromtimestamp(times[commit], timezone.utc).isoformat(),
                is_on_branch=commit in own,
                reasons=why,
            )
            for commit, why in reasons.items()
        ]

    def _find_touching(self, commits: Sequence[str]) -> dict[str, str]:
        """Return what each commit touches that matters; the others are left out."""
        parts = find_relevant_parts(self.upstream, self._target)
        paths = [path for part in parts for path in part.paths]
        # --stdin takes the commits, so that a long range fits; --no-walk keeps to just these.
        output = self._log(
            commits, "--first-parent", "-m", "--name-only", "-z", "--format=%x00%H", "--", *paths
        )
        touching = {}
        # A commit is an empty field, its hash, and its files; the first has a line's end before.
        for entry in f"\0{output}".split("\0\0")[1:]:
            commit, *files = (field.strip("\n") for field in entry.split("\0"))
            explanation = explain_relevance(self.upstream, files, self._target)
            if explanation:
                touching[commit] = explanation
        return touching

    def _find_final_releases(self) -> dict[str, str]:
        """Return the name of each commit that is a final release."""
        releases = {}
        for tag, commit in self.list_tags().items():
            version = parse_version(tag)
            if version is None or version.is_prerelease:
                continue
            if version >= FIRST_VERSIONS[self.upstream]:
                releases[commit] = tag
        return releases

    def _find_times(self, commits: Iterable[str]) -> dict[str, float]:
        """Return the committer times of those commits that are here, in seconds."""
        output = self._log(commits, "--ignore-missing", "--format=%H %ct")
        return {commit: float(time_s) for commit, time_s in map(str.split, output.splitlines())}

    def _log(self, commits: Iterable[str], *arguments: str) -> str:
        """Return what ``git log`` says of these commits, and of no others."""
        stdin = "\n".join(commits).encode()
        output = run_git(["log", "--stdin", "--no-walk", *arguments], self.folder, stdin=stdin)
        return output.decode("utf-8", "replace")


def _clone(url: str, mirror: Path) -> None:
    """Clone aside and rename, so that a clone that was killed is not taken for a mirror."""
    mirror.parent.mkdir(parents=True, exist_ok=True)
    for leftover in mirror.parent.glob(f"{mirror.name}.cloning-*"):
        # A younger one may be another run's, at work.
        if time.time() - leftover.stat().st_mtime > FETCH_LIMIT_S:
            shutil.rmtree(leftover, ignore_errors=True)
    cloning = Path(tempfile.mkdtemp(dir=mirror.parent, prefix=f"{mirror.name}.cloning-"))
    try:
        arguments = ["clone", "--quiet", "--mirror", "--", url, str(cloning)]
        run_git(arguments, Path(), may_fetch=True, limit_s=FETCH_LIMIT_S)
        if not (mirror / "HEAD").is_file():
            shutil.rmtree(mirror, ignore_errors=True)
        # Where another run was faster, its mirror serves.
        with contextlib.suppress(OSError):
            os.replace(cloning, mirror)
    except GitError as error:
        raise FixwatchError(
            f"cannot clone {url} ({error.reason}); check the network, or point git's "
            "url.<path>.insteadOf at a local clone"
        ) from error
    finally:
        shutil.rmtree(cloning, ignore_errors=True)
