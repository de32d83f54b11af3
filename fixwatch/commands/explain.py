"""The command ``explain``: which lines of a log or a JUnit file are a defect's, and what to do."""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

from fixwatch.commands.command_line import Subparsers
from fixwatch.commands.status import load_series
from fixwatch.errors import FixwatchError, NoResultsError
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.logs import read_lines
from fixwatch.report.advice import describe_advice
from fixwatch.report.explanation import explain
from fixwatch.verdicts.messages import find_messages
from fixwatch.verdicts.pin_advice import advise_on_releases


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "explain", help="say which lines of a log or JUnit file match a defect, and what to do"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="what a test suite has left")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print what is known of the lines; 1 if some are a defect's."""
    answer = find_messages(read_lines(options.file))
    # A JUnit file in which all tests passed has lines, though no message.
    if not answer.n_lines:
        raise FixwatchError(f"{options.file}: is empty; give the log of a run that came to its end")
    advice = _find_advice() if answer.found else {}
    print("\n".join(explain(options.file, answer, advice)))
    return 1 if answer.found else 0


def _find_advice() -> dict[str, list[str]]:
    """Return by defect which releases of each upstream have it, from the results on disk."""
    advice = defaultdict(list)
    try:
        series, order = load_series([Path(name) for name in CONFIGURATIONS])
    except NoResultsError:
        return {}
    for upstream in advise_on_releases(series, order.releases):
        for entry in describe_advice(upstream):
            advice[entry["defect"]].append(entry["text"])
    return advice
