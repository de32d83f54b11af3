"""What the commands share of the command line: their options, their lines and their tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NoReturn, TypeAlias

from rich.console import Console

from fixwatch.configuration import Configuration, load_configuration
from fixwatch.errors import FixwatchError
from fixwatch.layout import COMMITS_CONFIGURATION, NUMBA_CUDA_CONFIGURATION
from fixwatch.upstream_texts import make_printable

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

# The histories of commits, a configuration an upstream.
COMMITS_CONFIGURATIONS = (COMMITS_CONFIGURATION, NUMBA_CUDA_CONFIGURATION)
# A table that is piped away keeps its columns.
PIPED_WIDTH = 160


class OneLineParser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        """Raise an error that names the help, where argparse would print a usage and exit."""
        raise FixwatchError(f"{message}; see {self.prog} --help")


def add_range(parser: argparse.ArgumentParser, example: str, *, is_optional: bool = False) -> None:
    """Declare a range of commits, and the configuration of the history that it is of."""
    number = "?" if is_optional else None
    parser.add_argument("range", nargs=number, help=f"as asv run takes it, such as {example}")
    parser.add_argument(
        "--config",
        type=_load_commits_configuration,
        default=COMMITS_CONFIGURATION,
        help=f"the history: {' or '.join(COMMITS_CONFIGURATIONS)} (default: %(default)s)",
    )


def _load_commits_configuration(path: str) -> Configuration:
    configuration = load_configuration(Path(path))
    if configuration.source != "commits":
        raise FixwatchError(
            f"{path}: lists releases, all of which are measured by make dashboard; "
            f"choose {' or '.join(COMMITS_CONFIGURATIONS)}"
        )
    return configuration


def add_output_form(parser: argparse.ArgumentParser, all_help: str) -> None:
    """Declare the forms that an answer has besides that for the terminal, and all of that."""
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--all", action="store_true", help=all_help)
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print a summary for a pull request")


def announce(line: str) -> None:
    """Print a line on standard error, so that standard output has the answer and nothing else."""
    printable = make_printable(" ".join(line.split()))
    print(f"fixwatch: {printable}", file=sys.stderr, flush=True)


def open_console() -> Console:
    """Return where tables go: standard output, as wide as the terminal or `PIPED_WIDTH`."""
    console = Console()
    return console if console.is_terminal else Console(width=PIPED_WIDTH)
