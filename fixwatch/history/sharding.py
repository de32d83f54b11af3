"""Dividing a scan among machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixwatch.errors import FixwatchError

# Seconds to build, install and measure a commit on 2 cores, from the logs of the scans. Commits of
# numba-cuda before October 2025 have nothing to compile and take 4 s less.
COMMIT_S = {"numba": 17.0, "numba-cuda": 13.0}


@dataclass(frozen=True, kw_only=True)
class PlannedShard:
    """The commits of one machine, newest first, and what they cost together, in seconds."""

    number: int
    commits: tuple[str, ...]
    estimated_s: float


def plan_shards(commits: Sequence[str], n_shards: int, upstream: str) -> list[PlannedShard]:
    """Deal commits out to shards in turn: neighbours cost alike, so the shards do too.

    Shards without a commit are left out.

    Raises
    ------
    FixwatchError
        If there is to be no shard.
    """
    if n_shards < 1:
        raise FixwatchError(f"--shards is {n_shards}; give at least 1")
    commit_s = COMMIT_S.get(upstream, max(COMMIT_S.values()))
    dealt = [tuple(commits[number::n_shards]) for number in range(min(n_shards, len(commits)))]
    return [
        PlannedShard(number=number, commits=own, estimated_s=len(own) * commit_s)
        for number, own in enumerate(dealt)
    ]
