"""Runs asv as a process of its own: the only place that starts it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, cast

from fixwatch.errors import CouldNotMeasureError
from fixwatch.installing.as_of import shorten_output
from fixwatch.layout import RELEASES_CONFIGURATION, STATE_DIR
from fixwatch.machine import Machine

# How often a caller may look at what asv has done.
LOOK_PERIOD_S = 0.25
# An interrupt from a terminal reaches asv too, which then ends by itself.
ENDING_TIMEOUT_S = 5.0


def run_asv(
    configuration: str,
    arguments: Sequence[str],
    stdin: str = "",
    *,
    log_path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Run asv to its end, with variables beside those of this process.

    What it prints, its errors too, is appended to the log; without one it goes where this process
    prints. `look` is called several times a second meanwhile. asv does not outlive an exception, an
    interrupt say, that ends this call.

    Raises
    ------
    CouldNotMeasureError
        If it stops before the end.
    """
    with contextlib.ExitStack() as stack:
        log, place = None, ", see above"
        if log_path is not None:
            log_path.parent.mkdir(parents=True, exist_ok=True)
            log = stack.enter_context(log_path.open("a+", encoding="utf-8", errors="replace"))
            start = log.seek(0, os.SEEK_END)
        process = subprocess.Popen(
            [sys.executable, "-m", "asv", "--config", configuration, *arguments],
            text=True,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log and subprocess.STDOUT,
            env={**os.environ, **(environment or {})},
        )
        status = _wait(process, stdin, look)
        if log is not None:
            log.seek(start)
            lines = shorten_output(log.read()).splitlines() or ["it printed nothing"]
            place = f": {lines[-1].strip()}; {log_path} has what it printed"
    # `asv run` ends with 2 if it went through but something failed; the records say what.
    if status != 0 and (arguments[0], status) != ("run", 2):
        raise CouldNotMeasureError(f"asv {arguments[0]} stopped with status {status}{place}")


def _wait(process: subprocess.Popen[str], stdin: str, look: Callable[[], None]) -> int:
    try:
        # An asv that has ended before it read anything says why.
        with contextlib.suppress(BrokenPipeError):
            cast(IO[str], process.stdin).write(stdin)
        with contextlib.suppress(BrokenPipeError):
            cast(IO[str], process.stdin).close()
        while process.poll() is None:
            look()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_PERIOD_S)
    except BaseException:
        try:
            process.wait(ENDING_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
        raise
    return process.returncode


def measure_commits(
    configuration: str,
    machine: str,
    commits: Sequence[str],
    *,
    log_path: Path | None = None,
    environment: Mapping[str, str] | None = None,
    look: Callable[[], None] = lambda: None,
) -> None:
    """Run the benchmarks on commits of a configuration's history, as `run_asv` does."""
    arguments = ["run", "--machine", machine, "HASHFILE:-"]
    stdin = "\n".join(commits)
    run_asv(configuration, arguments, stdin, log_path=log_path, environment=environment, look=look)


def record_machine(machine: Machine) -> None:
    """Tell asv of the machine, which would ask for it on a terminal."""
    arguments = ["machine", "--yes", "--machine", machine.name, "--os", machine.system]
    arguments += ["--arch", machine.architecture, "--cpu", machine.architecture]
    arguments += ["--num_cpu", str(machine.n_cores), "--ram", "unknown"]
    try:
        run_asv(RELEASES_CONFIGURATION, arguments, log_path=STATE_DIR / "asv-machine.log")
    except CouldNotMeasureError as error:
        raise CouldNotMeasureError(
            f"{error}; is ~/.asv-machine.json writable and whole?"
        ) from error
