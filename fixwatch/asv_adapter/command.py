"""Running asv as a process of its own, with a configuration of the checkout: the only place."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from fixwatch.errors import CouldNotMeasureError
from fixwatch.installing.as_of import shorten_output
from fixwatch.layout import RELEASES_CONFIGURATION, STATE_DIR
from fixwatch.machine import Machine

# `asv run` ends with 2 if it went through but something failed; the evidence says what.
_FINE = {"run": (0, 2)}


def run_asv(
    configuration: str,
    arguments: Sequence[str],
    stdin: str = "",
    *,
    log_path: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run asv to its end.

    Parameters
    ----------
    configuration, arguments, stdin
        What it is given.
    log_path
        The file to which what it prints is appended, its errors too; None for where this process
        prints.
    environment
        Variables beside those of this process.

    Raises
    ------
    CouldNotMeasureError
        If it stops before the end.
    """
    command = [sys.executable, "-m", "asv", "--config", configuration, *arguments]
    variables = {**os.environ, **(environment or {})}
    run = functools.partial(
        subprocess.run, command, input=stdin, text=True, check=False, env=variables
    )
    if log_path is None:
        status = run().returncode
        printed = ", see above"
    else:
        log_path.parent.mkdir(parents=True, exist_ok=True)
        with log_path.open("a+", encoding="utf-8", errors="replace") as log:
            start = log.seek(0, os.SEEK_END)
            status = run(stdout=log, stderr=subprocess.STDOUT).returncode
            log.seek(start)
            lines = shorten_output(log.read()).splitlines()
        last = f": {lines[-1].strip()}" if lines else ""
        printed = f"{last}; {log_path} has what it printed"
    if status not in _FINE.get(arguments[0], (0,)):
        raise CouldNotMeasureError(f"asv {arguments[0]} stopped with status {status}{printed}")


def measure_commits(
    configuration: str,
    machine: str,
    commits: Sequence[str],
    *,
    log_path: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> None:
    """Run the benchmarks on commits of a configuration's history; see `run_asv`."""
    run_asv(
        configuration,
        ["run", "--machine", machine, "HASHFILE:-"],
        "\n".join(commits),
        log_path=log_path,
        environment=environment,
    )


def record_machine(machine: Machine) -> None:
    """Tell asv of the machine, which would ask for it on a terminal.

    Raises
    ------
    CouldNotMeasureError
        If asv cannot keep it.
    """
    arguments = ["machine", "--yes", "--machine", machine.name, "--os", machine.system]
    arguments += ["--arch", machine.architecture, "--cpu", machine.architecture]
    arguments += ["--num_cpu", str(machine.n_cores), "--ram", "unknown"]
    try:
        run_asv(RELEASES_CONFIGURATION, arguments, log_path=STATE_DIR / "asv-machine.log")
    except CouldNotMeasureError as error:
        raise CouldNotMeasureError(
            f"{error}; is ~/.asv-machine.json writable and whole?"
        ) from error
