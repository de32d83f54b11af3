"""The command ``check``: its options, and what it prints."""

from __future__ import annotations

import argparse
from pathlib import Path

from fixwatch.commands.check.comparison import EXIT_STATUS
from fixwatch.commands.check.run import run_check
from fixwatch.commands.check.summary import plan_issue, render_summary
from fixwatch.commands.command_line import COMMITS_CONFIGURATIONS, Subparsers, announce
from fixwatch.layout import CHECK_DIR
from fixwatch.machine import describe_machine


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
        "--dry-run", action="store_true", help="print the tracking issue that would be written"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Measure, and print the comparison with what is recorded."""
    commits = options.config or COMMITS_CONFIGURATIONS
    comparison = run_check(describe_machine(), options.output, announce, commits)
    print(render_summary(comparison))
    if options.dry_run:
        action = plan_issue(comparison, existing=None)
        print(f"tracking issue: {action.kind}\n\n{action.body}".rstrip())
    for finding in comparison.findings:
        announce(f"{finding.upstream}, {finding.defect}: {finding.outcome.value}, {finding.detail}")
    return EXIT_STATUS[comparison.outcome]
