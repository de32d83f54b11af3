"""The command ``check``: its options, and what it prints."""

from __future__ import annotations

import argparse
import functools
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.commands.check.comparison import EXIT_STATUS
from fixwatch.commands.check.issue import describe_changes, plan_issue
from fixwatch.commands.check.planning import take_planned_releases
from fixwatch.commands.check.run import measure_plan, measure_strays, run_check
from fixwatch.commands.check.terminal import print_answer
from fixwatch.commands.command_line import (
    COMMITS_CONFIGURATIONS,
    Subparsers,
    announce,
    open_console,
)
from fixwatch.durable_files import write_text_atomically
from fixwatch.layout import CHECK_DIR, RESULTS_DIR
from fixwatch.machine import describe_machine
from fixwatch.records.plans import NONCE_NAME, load_plan


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "check", help="measure the newest commit and release of each upstream against the record"
    )
    parser.add_argument(
        "--config",
        action="append",
        choices=COMMITS_CONFIGURATIONS,
        help="check this upstream only",
    )
    parser.add_argument(
        "--output", type=Path, default=CHECK_DIR, help="for check.md and check.json"
    )
    parser.add_argument(
        "--all", action="store_true", help="print each revision that was measured, too"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the tracking issue that would be written"
    )
    parser.add_argument(
        "--plan",
        type=Path,
        help="only measure what this file of plan asks for; merge --plan draws the conclusion",
    )
    parser.add_argument("--shard", type=int, help="with --plan: the number of this share of it")
    return parser


def run(options: argparse.Namespace) -> int:
    """Measure, and print the comparison with what is recorded."""
    if options.plan:
        plan = load_plan(options.plan)
        take_planned_releases(plan)
        write_text_atomically(RESULTS_DIR / NONCE_NAME, plan.nonce + "\n")
        measure_plan(plan, describe_machine(), announce, options.shard)
        measure_strays(plan, announce)
        return 0
    commits = options.config or COMMITS_CONFIGURATIONS
    # What cannot be read is named once, however often it is tried.
    report = functools.cache(announce)
    comparison = run_check(describe_machine(), options.output, report, commits)
    print_answer(comparison, open_console(), shows_revisions=options.all)
    if options.dry_run:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        action = plan_issue(describe_changes(comparison, now), existing=None)
        print(f"tracking issue: {action.kind}\n\n{action.body}".rstrip())
    return EXIT_STATUS[comparison.outcome]
