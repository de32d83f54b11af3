"""Which commits of an upstream can change what is measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

END_OF_RANGE = "end of the range"
ALL_COMMITS_VARIABLE = "FIXWATCH_ALL_COMMITS"


@dataclass(frozen=True, kw_only=True)
class RelevantPaths:
    """Parts of an upstream's tree, files or folders, and why they matter.

    Attributes
    ----------
    reason
        What they are; it stands in the plan.
    paths
        Relative to the tree's root.
    """

    reason: str
    paths: tuple[str, ...]


_NUMBA_CUDA = "numba_cuda/numba/cuda"
# numba's built-in target is small and seldom touched, so all of it counts. numba-cuda's is all
# that upstream works on: there it is what a launch in the simulator imports, by what v0.0.15,
# v0.4.0, v0.16.0, v0.24.0 and v0.30.4 import, and what decides which packages come with it.
RELEVANT_PATHS: Mapping[str, tuple[RelevantPaths, ...]] = {
    "numba": (RelevantPaths(reason="the built-in CUDA target", paths=("numba/cuda",)),),
    "numba-cuda": (
        RelevantPaths(reason="the simulator", paths=(f"{_NUMBA_CUDA}/simulator",)),
        RelevantPaths(
            reason="what makes numba.cuda the simulator",
            paths=(
                "site-packages",
                "numba_cuda/__init__.py",
                "numba_cuda/_version.py",
                f"{_NUMBA_CUDA}/__init__.py",
                f"{_NUMBA_CUDA}/simulator_init.py",
            ),
        ),
        RelevantPaths(
            reason="imported by a launch in the simulator",
            paths=tuple(
                f"{_NUMBA_CUDA}/{path}"
                for path in (
                    "args.py",
                    "cext/__init__.py",
                    "cext/_typeconv.cpp",
                    "cext/typeconv.cpp",
                    "cext/typeconv.hpp",
                    "cgutils.py",
                    "core/errors.py",
                    "core/options.py",
                    "core/registry.py",
                    "core/sigutils.py",
                    "core/targetconfig.py",
                    "datamodel",
                    "debuginfo.py",
                    "deviceufunc.py",
                    "errors.py",
                    "np/npdatetime_helpers.py",
                    "np/numpy_support.py",
                    "np/ufunc",
                    "stubs.py",
                    "typeconv",
                    "types",
                    "types.py",
                    "typing",
                    "utils.py",
                    "vectorizers.py",
                )
            ),
        ),
        RelevantPaths(reason="dependencies and build", paths=("pyproject.toml", "setup.py")),
    ),
}
# They are not run by a launch, wherever they lie.
TESTS_FOLDER = "tests"


def explain_relevance(upstream: str, files: Iterable[str]) -> str | None:
    """Return which relevant part of the tree a change of these files touches, None if none."""
    touched = [file for file in files if TESTS_FOLDER not in file.split("/")]
    for part in RELEVANT_PATHS[upstream]:
        hits = [
            file
            for file in touched
            if any(file == path or file.startswith(f"{path}/") for path in part.paths)
        ]
        if hits:
            more = f" and {len(hits) - 1} more" if len(hits) > 1 else ""
            return f"touches {part.reason} ({hits[0]}{more})"
    return None


@dataclass(frozen=True, kw_only=True)
class SelectedCommit:
    """A commit to measure, and why.

    Attributes
    ----------
    commit
        The full hash.
    is_on_branch
        Whether it is one of the branch itself, not a release made beside it.
    reasons
        One or more of: an end of the range, a path that it touches, the release that it is.
    """

    commit: str
    is_on_branch: bool
    reasons: tuple[str, ...]


def is_filter_lifted() -> bool:
    """Whether the environment asks for every commit."""
    return os.environ.get(ALL_COMMITS_VARIABLE, "") not in {"", "0"}


def select_commits(
    commits: Sequence[str],
    touching: Mapping[str, str],
    releases: Mapping[str, str],
    order: Mapping[str, float],
) -> list[SelectedCommit]:
    """Choose the commits of a range to measure, newest first.

    Parameters
    ----------
    commits
        The first-parent commits of the range, newest first, both ends included.
    touching
        What each of those that touch a relevant path touches; see `explain_relevance`.
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
            why.append(END_OF_RANGE)
        if commit in touching:
            why.append(touching[commit])
        if commit in releases:
            why.append(f"release {releases[commit]}")
        if why:
            reasons[commit] = why
    oldest, newest = order[ends[1]], order[ends[0]]
    for commit, name in releases.items():
        if commit not in reasons and oldest <= order[commit] <= newest:
            reasons[commit] = [f"release {name}"]
    ranked = sorted(reasons, key=lambda commit: order[commit], reverse=True)
    on_branch = frozenset(commits)
    return [
        SelectedCommit(
            commit=commit, is_on_branch=commit in on_branch, reasons=tuple(reasons[commit])
        )
        for commit in ranked
    ]
