"""The command ``plan``: what is worth measuring, and who measures which."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fixwatch.commands.check.planning import plan_look, plan_scan
from fixwatch.commands.check.recorded import load_known
from fixwatch.commands.command_line import (
    COMMITS_CONFIGURATIONS,
    Subparsers,
    add_range,
    announce,
)
from fixwatch.durable_files import write_text_atomically
from fixwatch.errors import FixwatchError
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.sharding import plan_shards
from fixwatch.machine import describe_machine
from fixwatch.records.plans import dump_plan


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser("plan", help="list the commits of a range that asv run measures")
    add_range(parser, "v0.57..main", is_optional=True)
    parser.add_argument(
        "--shards", type=int, help="print a JSON matrix that divides them among so many machines"
    )
    parser.add_argument(
        "--look",
        action="store_true",
        help="instead of a range: print as JSON what a look at the upstreams has to measure",
    )
    parser.add_argument(
        "--hand-over",
        type=Path,
        metavar="FILE",
        help="with --shards: leave what each is asked for in a file, for check and merge --plan",
    )
    parser.add_argument("--machine", help="the name under which that is kept (default: this one's)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the commits with the reason for each, or a matrix for the jobs that measure them."""
    if options.look == (options.range is not None):
        raise FixwatchError("give either a range or --look; see plan --help")
    machine = options.machine or describe_machine().name
    if options.look:
        plan = plan_look(machine, COMMITS_CONFIGURATIONS, load_known(announce), announce)
        announce(f"{len(plan.asked)} revisions to measure")
        print(dump_plan(plan))
        return 0
    mirror = UpstreamMirror(
        options.config.repository, options.config.project, announce, options.config.target
    )
    mirror.pull(announce)
    selected = mirror.select_from_range(options.range)
    if options.shards is not None:
        shards = plan_shards(list(selected), options.shards, mirror.upstream)
        if options.hand_over:
            folder = options.config.results_dir.name
            plan = plan_scan(machine, folder, mirror, shards)
            write_text_atomically(options.hand_over, dump_plan(plan) + "\n")
        print(json.dumps({"include": shards}))
        return 0
    for commit, reasons in selected.items():
        print(f"{commit} {mirror.get_committer_date(commit):%Y-%m-%d} {', '.join(reasons)}")
    announce(f"{len(selected)} commits")
    return 0
