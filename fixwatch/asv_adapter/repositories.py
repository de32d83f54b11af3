"""asv's view of the histories: upstream's commits, and the releases as commits."""

from __future__ import annotations

import bisect
import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

from asv import util
from asv.console import log
from asv.plugins.git import Git

from fixwatch.errors import FixwatchError
from fixwatch.history.listing import ListedCommit, Listing, load_listing, save_listing
from fixwatch.history.release_table import FIRST_VERSIONS
from fixwatch.history.relevance import (
    END_OF_RANGE,
    RELEVANT_PATHS,
    SelectedCommit,
    explain_relevance,
    is_filter_lifted,
    select_commits,
)
from fixwatch.history.revision_names import describe_unknown, iter_spellings, resolve_range
from fixwatch.layout import STATE_DIR
from fixwatch.upstream_texts import make_printable, parse_moment, parse_version

# Why the search of a range begins where it does.
BESIDE_THE_BRANCH = "the lower end's branch leaves here"
# A clone that is older was killed.
MAX_CLONING_S = 3600.0


class NamedRevisions(Git):  # type: ignore[misc]
    """A git repository in which release numbers name revisions, kept below `STATE_DIR`."""

    dvcs: str | None = None

    @classmethod
    def url_match(cls, url: str) -> bool:
        """Leave it to the configuration's `dvcs` to choose this class."""
        del url
        return False

    def get_hash_from_name(self, name: str | None) -> str:
        """Resolve a tag, branch, commit or release number.

        Raises
        ------
        UnknownRevisionError
            If there is none of that name; the text names the newest release tag.
        """
        name = self.get_branch_name(name)
        for spelling in iter_spellings(name):
            output = self._run_git(
                ["rev-parse", "--verify", "--quiet", "--end-of-options", spelling + "^{commit}"],
                valid_return_codes=(0, 1, 128),
                display_error=False,
                dots=False,
            ).split()
            if output:
                return str(output[-1])
        raise describe_unknown(name, self._project, self._release_tags())

    def get_hashes_from_range(self, range_spec: str) -> list[str]:
        """List the first-parent commits of a range, newest first, its lower end included.

        Git's ``a..b`` leaves out ``a``; who asks for ``v0.57..main`` wants 0.57 measured too.
        """
        arguments = resolve_range(range_spec, self.get_hash_from_name)
        lower_ends = [
            lower
            for lower, dots, _ in (each.partition("..") for each in arguments)
            if dots and lower
        ]
        try:
            hashes = self._list_commits(arguments)
            lower_ends = [self._list_commits(["-n", "1", lower])[0] for lower in lower_ends]
        except util.ProcessError as error:
            reason = (error.stderr or error.stdout).strip().splitlines()
            raise util.UserError(
                f"git cannot read the range {range_spec!r}: {reason[0] if reason else 'no reason'}"
            ) from error
        return hashes + [commit for commit in lower_ends if commit not in hashes]

    def get_tags(self) -> dict[str, str]:
        """Return tags and their commits, in one call of git instead of one for each tag."""
        output = self._run_git(
            [
                "for-each-ref",
                "--format=%(refname:lstrip=2) %(*objectname) %(objectname)",
                "refs/tags",
            ],
            dots=False,
        )
        commits = {}
        for line in output.splitlines():
            name, *objects = line.split()
            commits[name] = objects[0]
        return commits

    def get_committer_date(self, commit_hash: str) -> datetime:
        """Return when a commit was made, in UTC."""
        text = self._run_git(
            ["show", "--no-show-signature", "--no-patch", "--format=%cI", commit_hash], dots=False
        )
        return parse_moment(text).astimezone(timezone.utc)

    def list_files(self, commit_hash: str) -> dict[str, str]:
        """Return git's hash of each file of a commit, by path."""
        output = self._run_git(["ls-tree", "-r", "-z", commit_hash], dots=False)
        entries = (entry.partition("\t") for entry in output.split("\0") if entry)
        return {path: description.split()[2] for description, _, path in entries}

    def get_exact_tag(self, commit_hash: str) -> str | None:
        """Return the tag of a commit that has one; of several, the longest version: ``0.57.0``."""
        return self._find_names().get(commit_hash)

    def _find_names(self) -> dict[str, str]:
        """Return a tag of each commit that has one: a version before anything else."""

        def rank(item: tuple[str, str]) -> tuple[bool, int, str]:
            name, _ = item
            return parse_version(name) is not None, len(name), name

        tags = sorted(self.get_tags().items(), key=rank)
        return {commit: make_printable(name) for name, commit in tags}

    def _list_commits(self, arguments: Sequence[str]) -> list[str]:
        output = self._run_git(
            ["rev-list", "--first-parent", *arguments, "--"], display_error=False, dots=False
        )
        return list(output.split())

    def _release_tags(self) -> list[str]:
        return list(self.get_tags())


class UpstreamCommits(NamedRevisions):
    """A mirror of an upstream's repository."""

    dvcs = "fixwatch-commits"
    lists_all_commits = False
    has_listed_history = False

    def __init__(self, url: str, project: str) -> None:
        self._project = project
        mirror = STATE_DIR / "mirrors" / project
        if not self.is_local_repo(str(mirror)):
            _clone_mirror(url, mirror)
        super().__init__(url, str(mirror))

    @property
    def project(self) -> str:
        """The upstream's name."""
        return self._project

    def get_hashes_from_range(self, range_spec: str) -> list[str]:
        """List the commits of a range that can change what is measured, newest first.

        A single commit is listed whatever it touches. `FIXWATCH_ALL_COMMITS=1` in the environment,
        or `AllUpstreamCommits` in the configuration, lifts the filter.
        """
        return [selected.commit for selected in self.select_from_range(range_spec)]

    def select_from_range(self, range_spec: str) -> list[SelectedCommit]:
        """List the commits of a range to measure, newest first, with the reasons for each."""
        commits = super().get_hashes_from_range(range_spec)
        if self.lists_all_commits or is_filter_lifted():
            return [
                SelectedCommit(commit=each, is_on_branch=True, reasons=("every commit",))
                for each in commits
            ]
        releases = self._find_final_releases()
        return select_commits(
            commits,
            self._find_touching(commits),
            releases,
            self._find_times({*commits, *releases}),
        )

    def list_history(self, branch: str, asked_for: Iterable[str] = ()) -> Listing:
        """List the relevant commits of a branch and its releases, in the order of the branch.

        Parameters
        ----------
        branch
            From its first release that is tracked, or from its first commit if it has none.
        asked_for
            Further commits to place among them.
        """
        newest = self.get_hash_from_name(branch)
        commits = self._list_commits([newest])
        releases = self._find_final_releases()
        times = self._find_times({*commits, *releases, *asked_for})
        # What this mirror does not have, a branch that was pushed over, say, has no place.
        asked_for = [commit for commit in asked_for if commit in times]
        if releases:
            oldest = min(releases, key=lambda commit: times[commit])
            since = self._list_commits([f"{oldest}..{newest}"])
            commits = [*since, oldest] if oldest in commits else since
        on_branch = {commit: place for place, commit in enumerate(reversed(commits))}
        selected: dict[str, tuple[str, ...]] = dict.fromkeys(asked_for, ())
        for each in select_commits(commits, self._find_touching(commits), releases, times):
            # The end of the branch today is none tomorrow.
            reasons = tuple(reason for reason in each.reasons if reason != END_OF_RANGE)
            if reasons:
                selected[each.commit] = reasons
        branch_times = [times[commit] for commit in on_branch]

        def find_place(commit: str) -> tuple[float, float]:
            """Place what is beside the branch by its date."""
            if commit in on_branch:
                return on_branch[commit], 0.0
            return bisect.bisect_right(branch_times, times[commit]) - 0.5, times[commit]

        names = self._find_names()
        return Listing(
            self._project,
            tuple(
                _list_one(
                    commit,
                    names,
                    times[commit],
                    is_on_branch=commit in on_branch,
                    reasons=selected[commit],
                )
                for commit in sorted(selected, key=find_place)
            ),
        )

    def list_range(self, range_spec: str, *, relevant_only: bool) -> list[ListedCommit]:
        """List the commits from one revision to another along the first parents, oldest first.

        A lower end that lies beside, as a tag on a branch of its own does, is replaced by the
        commit where its branch leaves; its reason then says so.

        Raises
        ------
        FixwatchError
            If the range is not of the form ``A..B``, or nothing leads from A to B.
        """
        lower, upper = self._resolve_ends(range_spec)
        commits = self._list_commits([f"{lower}..{upper}"])
        if not commits:
            raise FixwatchError(
                f"no commit leads from the first to the second end of {range_spec!r}; "
                "give the older one first"
            )
        start = self._list_commits(["-n", "2", commits[-1]])[1:]
        commits += start
        if relevant_only and not (self.lists_all_commits or is_filter_lifted()):
            times = self._find_times(commits)
            releases = self._find_final_releases()
            selected = select_commits(
                commits,
                self._find_touching(commits),
                {commit: name for commit, name in releases.items() if commit in times},
                times,
            )
            reasons = {each.commit: each.reasons for each in selected}
        else:
            reasons = dict.fromkeys(commits, ("every commit",))
        if start and start[0] != lower:
            reasons[start[0]] = (BESIDE_THE_BRANCH, *reasons[start[0]])
        # A committer's clock may run backwards; the branch has an order of its own.
        return self._list_on_branch(
            {commit: reasons[commit] for commit in reversed(commits) if commit in reasons}
        )

    def _resolve_ends(self, range_spec: str) -> tuple[str, str]:
        """Return the commits of both ends of ``A..B``."""
        ends = range_spec.split("..")
        if (
            len(ends) != 2
            or not all(ends)
            or ends[1].startswith(".")
            or "-"
            in (
                ends[0][0],
                ends[1][0],
            )
        ):
            raise FixwatchError(f"range {range_spec!r} is not of the form A..B; name two ends")
        arguments = resolve_range(range_spec, self.get_hash_from_name)
        if len(arguments) != 1:
            raise FixwatchError(f"range {range_spec!r} is not of the form A..B; name two ends")
        lower, _, upper = arguments[0].partition("..")
        return self._list_commits(["-n", "1", lower])[0], self._list_commits(["-n", "1", upper])[0]

    def list_between(self, after: str, at: str) -> list[ListedCommit]:
        """List the commits between two of the branch, both excluded, oldest first.

        They have no reasons to be measured.
        """
        commits = self._list_commits([f"{after}..{at}"])
        return self._list_on_branch(dict.fromkeys(reversed([c for c in commits if c != at]), ()))

    def _list_on_branch(self, reasons: Mapping[str, tuple[str, ...]]) -> list[ListedCommit]:
        names, times = self._find_names(), self._find_times(reasons)
        return [
            _list_one(commit, names, times[commit], is_on_branch=True, reasons=why)
            for commit, why in reasons.items()
        ]

    def get_branch_commits(self, branch: str) -> list[str]:
        """List all commits of a branch, for asv to find where a result belongs."""
        return super().get_hashes_from_range(self.get_branch_name(branch))

    def _find_touching(self, commits: Sequence[str]) -> dict[str, str]:
        """Return what each commit touches that matters; the others are left out."""
        paths = [path for part in RELEVANT_PATHS[self._project] for path in part.paths]
        # --stdin takes the commits, so that a long range fits; --no-walk keeps to just these.
        output = subprocess.run(
            [self._git, "-c", "log.showSignature=false", "log", "--stdin", "--no-walk",
             "--first-parent", "-m", "--name-only", "-z", "--format=%x00%H", "--", *paths],
            cwd=self._path, input="\n".join(commits).encode(), capture_output=True,
            check=True,
        ).stdout.decode("utf-8", "replace")  # fmt: skip
        touching = {}
        # A commit is an empty field, its hash, and its files; the first has a line's end before.
        for entry in f"\0{output}".split("\0\0")[1:]:
            commit, *files = (field.strip("\n") for field in entry.split("\0"))
            explanation = explain_relevance(self._project, files)
            if explanation:
                touching[commit] = explanation
        return touching

    def _find_final_releases(self) -> dict[str, str]:
        """Return the name of each commit that is a final release."""
        releases = {}
        for tag, commit in self.get_tags().items():
            version = parse_version(tag)
            if version is None or version.is_prerelease:
                continue
            if version >= FIRST_VERSIONS[self._project]:
                releases[commit] = tag
        return releases

    def _find_times(self, commits: Iterable[str]) -> dict[str, float]:
        output = subprocess.run(
            [self._git, "-c", "log.showSignature=false", "log", "--stdin", "--no-walk",
             "--ignore-missing", "--format=%H %ct"],
            cwd=self._path, input="\n".join(commits), capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        return {commit: float(time) for commit, time in map(str.split, output.splitlines())}

    def pull(self) -> None:
        """Fetch what is new; where upstream cannot be reached, go on with what is here."""
        try:
            super().pull()
        except util.ProcessError:
            log.warning("upstream cannot be reached; going on with the commits fetched before")
            self._pulled = True


def _list_one(
    commit: str,
    names: Mapping[str, str],
    time_s: float,
    *,
    is_on_branch: bool,
    reasons: tuple[str, ...],
) -> ListedCommit:
    return ListedCommit(
        commit=commit,
        name=names.get(commit, commit[:8]),
        date=datetime.fromtimestamp(time_s, timezone.utc).isoformat(),
        is_on_branch=is_on_branch,
        reasons=reasons,
    )


class AllUpstreamCommits(UpstreamCommits):
    """The same without the filter of relevant commits, for the configuration to choose."""

    dvcs = "fixwatch-all-commits"
    lists_all_commits = True


def refresh_listing(
    repository: UpstreamCommits,
    results_dir: Path,
    branch: str,
    commits: Sequence[str],
    report: Callable[[str], None],
) -> None:
    """Bring the list of relevant commits beside results up to date, once a process or as it grows.

    Parameters
    ----------
    repository, branch
        Where the commits are.
    results_dir
        Where the list lies.
    commits
        Those that were measured; each is listed, relevant or not.
    report
        Called with a line if the list that is there cannot be read; it is written anew.
    """
    try:
        known = load_listing(results_dir)
    except FixwatchError as error:
        report(str(error))
        known = None
    if known and repository.has_listed_history and all(each in known for each in commits):
        return
    asked_for = [each.commit for each in known.commits if not each.reasons] if known else []
    listing = repository.list_history(branch, list(dict.fromkeys([*asked_for, *commits])))
    save_listing(listing, results_dir)
    repository.has_listed_history = True


def _clone_mirror(url: str, mirror: Path) -> None:
    """Clone aside and rename, so that a clone that was killed is not taken for a mirror."""
    mirror.parent.mkdir(parents=True, exist_ok=True)
    for leftover in mirror.parent.glob(f"{mirror.name}.cloning-*"):
        # A younger one may be another run's, at work.
        if time.time() - leftover.stat().st_mtime > MAX_CLONING_S:
            shutil.rmtree(leftover, ignore_errors=True)
    cloning = Path(tempfile.mkdtemp(dir=mirror.parent, prefix=f"{mirror.name}.cloning-"))
    log.info(f"Cloning {url}")
    try:
        util.check_output(
            [util.which("git"), "clone", "--quiet", "--mirror", url, str(cloning)],
            timeout=None,
            display_error=False,
        )
        if not (mirror / "HEAD").is_file():
            shutil.rmtree(mirror, ignore_errors=True)
        # Where another run was faster, its mirror serves.
        with contextlib.suppress(OSError):
            os.replace(cloning, mirror)
        shutil.rmtree(cloning, ignore_errors=True)
    except util.ProcessError as error:
        shutil.rmtree(cloning, ignore_errors=True)
        reason = (error.stderr or "git gave no reason").strip().splitlines()[-1]
        raise util.UserError(
            f"cannot clone {url} ({reason}); check the network, or point git's "
            "url.<path>.insteadOf at a local clone"
        ) from error
