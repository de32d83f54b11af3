"""The command ``plan``: the commits of a range that are worth measuring, and who measures which."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from fixwatch.commands.command_line import Subparsers, add_range, announce
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.sharding import plan_shards


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser("plan", help="list the commits of a range that asv run measures")
    add_range(parser, "v0.57..main")
    parser.add_argument(
        "--shards", type=int, help="print a JSON matrix that divides them among so many machines"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the commits with the reason for each, or a matrix for the jobs that measure them."""
    mirror = UpstreamMirror(options.config.repository, options.config.project, announce)
    mirror.pull(announce)
    selected = mirror.select_from_range(options.range)
    if options.shards is not None:
        commits = [choice.commit for choice in selected]
        print(json.dumps(_plan_matrix(mirror.upstream, commits, options.shards)))
        return 0
    for commit in selected:
        date = mirror.get_committer_date(commit.commit)
        print(f"{commit.commit} {date:%Y-%m-%d} {', '.join(commit.reasons)}")
    announce(f"{len(selected)} commits")
    return 0


def _plan_matrix(upstream: str, commits: Sequence[str], n_shards: int) -> dict[str, Any]:
    """Return the matrix that GitHub Actions takes, a shard a job."""
    return {
        "include": [
            {
                "shard": shard.number,
                "commits": " ".join(shard.commits),
                "n_commits": len(shard.commits),
                "estimated_s": shard.estimated_s,
            }
            for shard in plan_shards(commits, n_shards, upstream)
        ]
    }
