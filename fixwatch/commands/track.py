"""The command ``track``: the tracking issue, brought up to date with what looks have found."""

from __future__ import annotations

import argparse

from fixwatch.commands.check.issue import plan_issue
from fixwatch.commands.check.tracking import run_gh, track
from fixwatch.commands.command_line import Subparsers, announce
from fixwatch.history.last_look import load_last_look


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "track", help="tell in the tracking issue what the recorded checks found to have changed"
    )
    parser.add_argument("--dry-run", action="store_true", help="print it, write nothing")
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the tracking issue, or print what a dry run would write if there were none yet."""
    look = load_last_look()
    changes = look.changes if look else ()
    if options.dry_run:
        action = plan_issue(changes, existing=None)
        print(action.body or "nothing to write", end="\n" if not action.body else "")
    else:
        action = track(changes, run_gh)
    announce(f"tracking issue: {action.kind}")
    return 0
