"""Dividing a scan among machines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fixwatch.errors import FixwatchError

# Seconds to build, install and measure a commit on 2 cores, from the logs of the scans. Commits of
# numba-cuda before October 2025 have nothing to compile and take 4 s less.
COMMIT_S = {"numba": 17.0, "numba-cuda": 13.0}


def plan_shards(commits: Sequence[str], n_shards: int, upstream: str) -> list[dict[str, Any]]:
    """Deal commits out to shards in turn: neighbours cost alike, so the shards do too.

    Returns the jobs of a matrix as GitHub Actions takes it. Shards without a commit are left out.
    """
    if n_shards < 1:
        raise FixwatchError(f"--shards is {n_shards}; give at least 1")
    commit_s = COMMIT_S.get(upstream, max(COMMIT_S.values()))
    dealt = [commits[number::n_shards] for number in range(min(n_shards, len(commits)))]
    return [
        {
            "shard": number,
            "commits": " ".join(own),
            "n_commits": len(own),
            "estimated_s": len(own) * commit_s,
        }
        for number, own in enumerate(dealt)
    ]
