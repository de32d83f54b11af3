"""The command ``plan``: the commits of a range that are worth measuring, and who measures which."""

from __future__ import annotations

import argparse
import json

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
        shards = plan_shards(list(selected), options.shards, mirror.upstream)
        print(json.dumps({"include": shards}))
        return 0
    for commit, reasons in selected.items():
        print(f"{commit} {mirror.get_committer_date(commit):%Y-%m-%d} {', '.join(reasons)}")
    announce(f"{len(selected)} commits")
    return 0
