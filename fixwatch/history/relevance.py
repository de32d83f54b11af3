"""Which commits of an upstream can change what is measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from fixwatch.history.listing import SIMULATOR
from fixwatch.toml_tables import Table, load_table

END_OF_RANGE = "end of the range"
ALL_COMMITS_VARIABLE = "FIXWATCH_ALL_COMMITS"


class RelevantPaths(Table):
    """Parts of an upstream's tree, files or folders, and why they matter."""

    reason: str  # what they are; it stands in the plan
    paths: tuple[str, ...]  # relative to the tree's root
    excluded: tuple[str, ...] = ()  # below these


class RelevanceTable(Table):
    """The rows of `relevance.toml`, by upstream."""

    parts: dict[str, tuple[RelevantPaths, ...]]
    compiled: dict[str, tuple[RelevantPaths, ...]]  # of compilers and devices


_TABLE = load_table(__file__, RelevanceTable)
# They are not run by a launch, wherever they lie.
TESTS_FOLDER = "tests"


def find_relevant_parts(upstream: str, target: str = SIMULATOR) -> tuple[RelevantPaths, ...]:
    """Return the parts of an upstream's tree that can change what is measured of a target."""
    return (_TABLE.parts if target == SIMULATOR else _TABLE.compiled)[upstream]


def explain_relevance(upstream: str, files: Iterable[str], target: str = SIMULATOR) -> str | None:
    """Return which relevant part of the tree a change of these files touches, None if none."""
    touched = [file for file in files if TESTS_FOLDER not in file.split("/")]
    for part in find_relevant_parts(upstream, target):
        hits = [
            file
            for file in touched
            if _is_below(file, part.paths) and not _is_below(file, part.excluded)
        ]
        if hits:
            more = f" and {len(hits) - 1} more" if len(hits) > 1 else ""
            return f"touches {part.reason} ({hits[0]}{more})"
    return None


def _is_below(file: str, paths: Iterable[str]) -> bool:
    return any(file == path or file.startswith(f"{path}/") for path in paths)


def is_filter_lifted() -> bool:
    """Whether the environment asks for every commit."""
    return os.environ.get(ALL_COMMITS_VARIABLE, "") not in {"", "0"}


def select_commits(
    commits: Sequence[str],
    touching: Mapping[str, str],
    releases: Mapping[str, str],
    order: Mapping[str, float],
) -> dict[str, tuple[str, ...]]:
    """Choose the commits of a range to measure, newest first, with the reasons for each.

    `commits` are the first parents of the range, newest first, both ends included; `touching` says
    what those of them touch that is relevant. `releases` are names of final releases by commit;
    those beside the branch count if made between the ends. `order` has the committer times of all.
    """
    if not commits:
        return {}
    newest, oldest = commits[0], commits[-1]
    reasons: dict[str, list[str]] = {
        commit: [END_OF_RANGE] if commit in (newest, oldest) else [] for commit in commits
    }
    for commit, explanation in touching.items():
        reasons[commit].append(explanation)
    for commit, name in releases.items():
        if commit in reasons or order[oldest] <= order[commit] <= order[newest]:
            reasons.setdefault(commit, []).append(f"release {name}")
    ranked = sorted(filter(reasons.get, reasons), key=order.__getitem__, reverse=True)
    return {commit: tuple(reasons[commit]) for commit in ranked}
