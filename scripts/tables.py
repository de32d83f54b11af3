"""What all scripts share: their options, the tables that they write, the processes that they use.

A table stands in docs/measurements.md between two comments, of which the first names the table and
the script that writes it. The script replaces what stands between them, whole.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import multiprocessing
import os
import platform
import re
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.progress import track

from fixwatch.durable_files import write_text_atomically
from fixwatch.machine import describe_machine

MEASUREMENTS = Path("docs/measurements.md")

T = TypeVar("T")


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """Return a parser with the options that every script has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--quick", action="store_true", help="a size of some seconds, to see that the script runs"
    )
    parser.add_argument(
        "--document",
        type=Path,
        help=f"the file that gets the tables; {MEASUREMENTS}, or none with --quick",
    )
    return parser


class TableWriter:
    """Prints the tables of a script, and puts them into the document that its options name."""

    def __init__(
        self, script: str, options: argparse.Namespace, packages: Sequence[str] = ()
    ) -> None:
        self._script = script
        self._path = options.document or (None if options.quick else MEASUREMENTS)
        self._note = describe_run(packages, is_quick=options.quick)

    def write(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Write one table with the date, the machine and the versions."""
        table = format_table(columns, rows)
        print(f"{table}\n", flush=True)
        if self._path is not None:
            replace_table(self._path, name, self._script, f"{self._note}\n\n{table}")


def format_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table in Markdown."""
    head = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    return "\n".join([*head, *(f"| {' | '.join(map(str, row))} |" for row in rows)])


def replace_table(path: Path, name: str, script: str, text: str) -> None:
    """Replace what stands between the markers of a table.

    Raises
    ------
    ValueError
        If the document does not have the markers exactly once.
    """
    begin, end = f"<!-- table: {name}, written by {script} -->", f"<!-- end: {name} -->"
    document = path.read_text(encoding="utf-8")
    between = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}\n", re.DOTALL)
    replaced, n_found = between.subn(lambda _: f"{begin}\n{text}\n{end}\n", document)
    if n_found != 1:
        raise ValueError(f"{path}: {n_found} places for the table, need one: {begin} ... {end}")
    write_text_atomically(path, replaced)


def describe_run(packages: Sequence[str], *, is_quick: bool = False) -> str:
    """Return a sentence with date, machine, versions, and how busy the machine is."""
    machine, load = describe_machine(), os.getloadavg()[0]
    versions = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    python = f"{platform.python_implementation()} {platform.python_version()}"
    size = "At a small size that shows only that the script runs: m" if is_quick else "M"
    return (
        f"{size}easured on {datetime.now(timezone.utc):%Y-%m-%d}, {machine.system} "
        f"{machine.architecture}, {machine.n_cores} cores, {', '.join([python, *versions])}; "
        f"load of the machine at the start: {load:.1f}."
    )


def percent(part: float, whole: float) -> str:
    """Return a share in percent, a dash where there is nothing to take it of."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def map_in_processes(function: Callable[[int], T], n_items: int, n_processes: int) -> list[T]:
    """Apply a function to the numbers below `n_items`; in this process if it is to use one only."""
    if n_processes == 1:
        return [function(number) for number in range(n_items)]
    with multiprocessing.get_context("spawn").Pool(n_processes) as pool:
        found = pool.imap(function, range(n_items), chunksize=8)
        return list(track(found, total=n_items, console=Console(stderr=True)))


def report_missed(missed: Sequence[str], options: argparse.Namespace) -> int:
    """Print the bars that a script missed, and return its exit status.

    The few cases of --quick say nothing of shares of one in a hundred: nothing is missed there.
    """
    if options.quick or not missed:
        return 0
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1
