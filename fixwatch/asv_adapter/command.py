"""Running asv as a process of its own, with a configuration of the checkout."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import IO

from fixwatch.errors import CouldNotMeasureError
from fixwatch.layout import RELEASES_CONFIGURATION
from fixwatch.machine import Machine


def run_asv(
    configuration: str,
    arguments: Sequence[str],
    stdin: str = "",
    *,
    output: int | IO[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> int:
    """Run asv to its end and return its exit status; 2 if it went through but something failed.

    Parameters
    ----------
    configuration, arguments, stdin
        What it is given.
    output
        Where what it prints goes, its errors too; None for where this process prints.
    environment
        Its variables; None for those of this process.
    """
    completed = subprocess.run(
        [sys.executable, "-m", "asv", "--config", configuration, *arguments],
        input=stdin,
        text=True,
        check=False,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        env=environment,
    )
    return completed.returncode


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
    if run_asv(RELEASES_CONFIGURATION, arguments, output=subprocess.DEVNULL):
        raise CouldNotMeasureError("asv machine failed; is ~/.asv-machine.json writable and whole?")
