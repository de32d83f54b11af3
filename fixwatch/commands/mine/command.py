"""The command ``mine``: its options, and what it prints."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from fixwatch.commands.command_line import Subparsers, announce
from fixwatch.commands.mine.document import build_document
from fixwatch.commands.mine.findings import MineVerdict
from fixwatch.commands.mine.run import MineRun, run_mine
from fixwatch.commands.mine.runs import CHECKOUT, THIS_PYTHON, Wish, check_interpreter
from fixwatch.commands.mine.summary import render
from fixwatch.commands.status import load_series
from fixwatch.errors import CouldNotMeasureError, FixwatchError, NoResultsError
from fixwatch.layout import NUMBA_CUDA_CONFIGURATION, RELEASES_CONFIGURATION
from fixwatch.verdicts.pin_advice import UpstreamReleases, advise_on_releases

EXIT_STATUS = {
    MineVerdict.DEFECT: 1,
    MineVerdict.FAILS_OTHERWISE: 4,
    MineVerdict.NOT_SHOWN: 0,
    MineVerdict.NOT_RUN: CouldNotMeasureError.exit_status,
}
# Handed on to ``python -m mwe --test``.
_HANDED_ON = ("trials", "seed", "limit", "timeout")


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "mine", help="say which defect your own tests meet, and what holds without an upgrade"
    )
    parser.add_argument(
        "tests", nargs="+", metavar="TEST", help="pytest tests: files, folders or node ids"
    )
    parser.add_argument(
        "--python", default=str(THIS_PYTHON), metavar="P", help="the interpreter that runs them"
    )
    parser.add_argument(
        "--directory", type=Path, default=Path(), metavar="DIR", help="start pytest there"
    )
    parser.add_argument("-k", dest="keyword", metavar="EXPR", help="only tests that match")
    parser.add_argument(
        "-p", dest="plugins", action="append", default=[], metavar="NAME", help="a pytest plugin"
    )
    parser.add_argument("--trials", type=int, metavar="N", help="runs under delay; default: 20")
    parser.add_argument("--seed", type=int, metavar="S", help="fixes the schedules' decisions")
    parser.add_argument(
        "--limit",
        type=float,
        metavar="SECONDS",
        help="of each schedule of a test; default: 60, shared by all tests, at least 2 for each",
    )
    parser.add_argument(
        "--timeout", type=float, metavar="SECONDS", help="of one run of a test; default: 30"
    )
    parser.add_argument(
        "--alone", action="store_true", help="compare with nothing, which takes half the time"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def run(options: argparse.Namespace) -> int:
    """Run the tests, compare, and print the answer."""
    found = shutil.which(options.python)
    if found is None:
        raise FixwatchError(
            f"there is no interpreter {options.python!r}; give one as --python venv/bin/python"
        )
    python = Path(found).absolute()
    check_interpreter(python)
    if not options.directory.is_dir():
        raise FixwatchError(f"there is no folder {str(options.directory)!r}")
    handed_on = [
        text
        for name in _HANDED_ON
        if (value := getattr(options, name)) is not None
        for text in (f"--{name}", str(value))
    ]
    for plugin in options.plugins:
        handed_on += ["-p", plugin]
    if options.keyword is not None:
        handed_on += ["-k", options.keyword]
    wish = Wish(tests=options.tests, options=handed_on, folder=options.directory.absolute())
    mine = run_mine(python, wish, _find_releases, announce, compares=not options.alone)
    if options.json:
        print(json.dumps(build_document(mine), indent=1, allow_nan=False))
    else:
        print("\n".join(render(mine)))
    return find_exit_status(mine)


def find_exit_status(mine: MineRun) -> int:
    """Return the exit status; files that did not import, or a run cut short, leave no clean 0."""
    status = EXIT_STATUS[mine.verdict]
    is_whole = mine.here.status == "complete" and all(place.skipped for place in mine.here.unusable)
    return status if status or is_whole else CouldNotMeasureError.exit_status


def _find_releases() -> list[UpstreamReleases]:
    """Return what the results on disk say of releases; nothing where there are none."""
    try:
        # The copy gets a release of numba-cuda, and runs on the simulator.
        known = (NUMBA_CUDA_CONFIGURATION, RELEASES_CONFIGURATION)
        series, order = load_series([CHECKOUT / name for name in known])
    except NoResultsError:
        return []
    return advise_on_releases(series, order.releases)
