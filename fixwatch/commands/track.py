"""The command ``track``: the tracking issue, brought up to date with what a check measured."""

from __future__ import annotations

import argparse
from pathlib import Path

from fixwatch.commands.check.summary import plan_issue
from fixwatch.commands.check.tracking import load_comparison, run_gh, track
from fixwatch.commands.command_line import Subparsers, announce


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "track", help="bring the tracking issue up to date with what a check measured"
    )
    parser.add_argument("file", type=Path, help="the check.json of a check")
    parser.add_argument("--dry-run", action="store_true", help="print it, write nothing")
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the tracking issue, or print what a dry run would write."""
    comparison = load_comparison(options.file)
    if options.dry_run:
        action = plan_issue(comparison, existing=None)
        print(action.body or "nothing to write", end="\n" if not action.body else "")
    else:
        action = track(comparison, run_gh)
    announce(f"tracking issue: {action.kind}")
    return 0
