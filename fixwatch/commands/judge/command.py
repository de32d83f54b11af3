"""The command ``judge``: its options, and what it prints."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from fixwatch.commands.command_line import Subparsers, add_output_form, announce, open_console
from fixwatch.commands.judge.document import build_document
from fixwatch.commands.judge.run import run_judge
from fixwatch.commands.judge.summary import print_answer, render_markdown
from fixwatch.verdicts.working_tree import EXIT_STATUS


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "judge", help="say which known defects a numba or numba-cuda checkout shows"
    )
    parser.add_argument("path", type=Path, metavar="PATH", help="a checkout, changed or not")
    parser.add_argument(
        "--against",
        metavar="REVISION",
        help="measure this tag, branch or commit of the checkout beside it, and compare the cost "
        "of a launch",
    )
    parser.add_argument(
        "--defect",
        action="append",
        default=[],
        metavar="D",
        help="look for this defect only; may be given again",
    )
    parser.add_argument(
        "--workload",
        action="append",
        default=[],
        metavar="W",
        help="run this workload or negative control only; may be given again",
    )
    parser.add_argument(
        "--thorough",
        action="store_true",
        help="explore the whole space of schedules of every workload, however long it takes",
    )
    add_output_form(parser, "print each batch, too")
    return parser


def run(options: argparse.Namespace) -> int:
    """Judge the checkout, and print the result."""
    judged = run_judge(
        options.path,
        options.against,
        announce,
        workloads=options.workload,
        defects=options.defect,
        is_thorough=options.thorough,
    )
    if options.json:
        print(json.dumps(build_document(judged), indent=1, allow_nan=False))
    elif options.markdown:
        print(render_markdown(judged), end="")
    else:
        print_answer(judged, open_console(), shows_batches=options.all)
    return EXIT_STATUS[judged.result.verdict]
