"""The command ``judge``: its arguments, and what it prints."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from fixwatch.commands.judge.document import build_document
from fixwatch.commands.judge.run import run_judge
from fixwatch.commands.judge.summary import print_answer, render_markdown
from fixwatch.verdicts.working_tree import EXIT_STATUS


def add_judge_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("path", type=Path, metavar="PATH", help="a checkout, changed or not")
    parser.add_argument(
        "--against",
        metavar="REVISION",
        help="measure this tag, branch or commit of the checkout beside it, and compare the cost "
        "of a launch",
    )
    parser.add_argument(
        "--workload",
        action="append",
        default=[],
        metavar="W",
        help="this workload or negative control only; may be given again",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print a summary for a pull request")


def run_judge_command(options: argparse.Namespace, announce: Callable[[str], None]) -> int:
    """Run the command and return its exit status.

    Raises
    ------
    FixwatchError
        If there is nothing to judge, or nothing can be measured.
    """
    run = run_judge(options.path, options.against, options.workload, announce)
    if options.json:
        print(json.dumps(build_document(run), indent=1, allow_nan=False))
    elif options.markdown:
        print(render_markdown(run), end="")
    else:
        console = Console()
        # A table that is piped away keeps its columns.
        print_answer(run, console if console.is_terminal else Console(width=160))
    return EXIT_STATUS[run.answer.outcome]
