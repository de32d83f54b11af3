"""Which commits of an upstream can change what is measured."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

ALL_COMMITS_VARIABLE = "FIXWATCH_ALL_COMMITS"


@dataclass(frozen=True, kw_only=True)
class RelevantPath:
    """A part of an upstream's tree, as git's pathspec, and why it matters."""

    pathspec: str
    reason: str


# Tests never run in a launch; everything else of the CUDA target may.
RELEVANT_PATHS: Mapping[str, tuple[RelevantPath, ...]] = {
    "numba": (
        RelevantPath(
            pathspec="numba/cuda",
            reason="the built-in CUDA target; a launch in the simulator imports 20 files of it",
        ),
        RelevantPath(pathspec=":(exclude)numba/cuda/tests", reason="its tests are not run"),
    ),
    "numba-cuda": (
        RelevantPath(
            pathspec="numba_cuda",
            reason="the package; its redirector decides what numba.cuda is",
        ),
        RelevantPath(
            pathspec="pyproject.toml", reason="the dependencies that the simulator imports"
        ),
        RelevantPath(
            pathspec=":(exclude)numba_cuda/numba/cuda/tests", reason="its tests are not run"
        ),
    ),
}


@dataclass(frozen=True, kw_only=True)
class SelectedCommit:
    """A commit to measure, and why.

    Attributes
    ----------
    commit
        The full hash.
    reasons
        One or more of: an end of the range, a path that it touches, the release that it is.
    """

    commit: str
    reasons: tuple[str, ...]


def is_filter_lifted() -> bool:
    """Whether the environment asks for every commit."""
    return os.environ.get(ALL_COMMITS_VARIABLE, "") not in {"", "0"}


def select_commits(
    commits: Sequence[str],
    touching: frozenset[str],
    releases: Mapping[str, str],
    order: Mapping[str, float],
) -> list[SelectedCommit]:
    """Choose the commits of a range to measure, newest first.

    Parameters
    ----------
    commits
        The first-parent commits of the range, newest first, both ends included.
    touching
        Those that touch a relevant path.
    releases
        Name of the final release by commit; releases made on branches of their own count too if
        they were made between the ends.
    order
        Committer time of each commit of the range and of each release.
    """
    if not commits:
        return []
    reasons: dict[str, list[str]] = {}
    ends = (commits[0], commits[-1])
    for commit in commits:
        why = []
        if commit in ends:
            why.append("end of the range")
        if commit in touching:
            why.append("touches what is measured")
        if commit in releases:
            why.append(f"release {releases[commit]}")
        if why:
            reasons[commit] = why
    oldest, newest = order[ends[1]], order[ends[0]]
    for commit, name in releases.items():
        if commit not in reasons and oldest <= order[commit] <= newest:
            reasons[commit] = [f"release {name}"]
    ranked = sorted(reasons, key=lambda commit: order[commit], reverse=True)
    return [SelectedCommit(commit=each, reasons=tuple(reasons[each])) for each in ranked]
