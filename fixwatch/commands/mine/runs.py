"""Running tests under the schedules in some interpreter, and what came of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import TypeAdapter, ValidationError

from fixwatch.errors import CouldNotMeasureError, FixwatchError
from fixwatch.records.evidence import ExploredSpace
from fixwatch.records.fields import Closed, Number, one_of

CHECKOUT = Path(__file__).resolve().parents[3]
NATURAL = "natural"
EXPLORE = "explore"
# Of ``python -m mwe``.
_ANSWERED = (0, 1)
_BAD_ARGUMENT = 2


@dataclass(frozen=True, kw_only=True)
class ScheduleRun(Closed):
    """The runs of a test under one schedule."""

    schedule: str
    trials: Number
    failures: Number
    failures_by_mode: dict[str, Number]
    failures_by_defect: dict[str, Number]
    """Those whose error names a defect."""
    skipped: Number
    first_failure_trial: Number | None
    first_failure_schedule: str | None
    """Under explore: what --replay takes."""
    seed: Number
    details: list[str]
    space: ExploredSpace | None
    duration_s: float
    status: str


@dataclass(frozen=True, kw_only=True)
class TestRun(Closed):
    """What a test showed in one environment."""

    __test__ = False  # for pytest

    test: str
    """As pytest takes it."""
    verdict: Annotated[str, one_of("defect", "fails-otherwise", "not-shown", "not-run")]
    defect: str | None
    """Whose error was seen."""
    suspects: list[str]
    """Defects that show in the same way as the failures, which name none."""
    fails_by_itself: bool
    """Whether it failed each time when nothing was paced."""
    answer: str
    schedules: list[ScheduleRun]
    replay: str | None
    interleaving: list[str] | None
    """Of the replayed schedule: the lines of a column for each thread."""
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class UnusablePlace(Closed):
    """A file or a folder whose tests could not be collected, or are skipped as a whole."""

    where: str
    what: str
    skipped: bool = False


@dataclass(frozen=True, kw_only=True)
class TestsRun(Closed):
    """What ``python -m mwe --test`` prints."""

    __test__ = False

    version: Literal[1]
    root: str
    """Pytest's root folder; what lies below it counts as the user's."""
    tests: list[TestRun]
    unusable: list[UnusablePlace]
    status: str
    plan: dict[str, Any]
    packages: dict[str, str]
    python: str

    def find(self, name: str) -> TestRun | None:
        """Return what a test showed, if it was run."""
        return next((test for test in self.tests if test.test == name), None)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """Which tests are to be run, and how."""

    tests: Sequence[str]
    options: Sequence[str] = ()  # of ``python -m mwe``
    variables: Mapping[str, str] = field(default_factory=dict)
    folder: Path = field(default_factory=Path)  # that pytest is started in


def run_in(python: Path, wish: Wish, announce: Callable[[str], None]) -> TestsRun:
    """Run tests in an interpreter's environment; `announce` is given a line for each.

    Raises
    ------
    FixwatchError
        If there is no such test.
    CouldNotMeasureError
        If they could not be run.
    """
    paths = [str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    last = ""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as printed:
        process = subprocess.Popen(
            [str(python), "-m", "mwe", "--json", *wish.options, "--test", *wish.tests],
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=wish.folder,
            env={**os.environ, **wish.variables, "PYTHONPATH": os.pathsep.join(paths)},
        )
        try:
            for line in process.stderr or ():
                if last:
                    announce(last)
                last = line.strip()
        except BaseException:
            process.terminate()
            raise
        finally:
            process.wait()
        printed.seek(0)
        lines = printed.read().splitlines()
    if process.returncode not in _ANSWERED and not lines:
        message = last.removeprefix("mwe: ") or f"it exited with status {process.returncode}"
        if process.returncode == _BAD_ARGUMENT:
            raise FixwatchError(message)
        raise CouldNotMeasureError(message)
    if last:
        announce(last)
    try:
        return TypeAdapter(TestsRun).validate_json(lines[-1])
    except (ValidationError, IndexError) as error:
        raise CouldNotMeasureError(
            f"{python} printed no result of python -m mwe --test; see whether another package "
            f"named mwe is in its way ({' '.join(str(error).split())[:200]})"
        ) from error


def check_interpreter(python: Path) -> None:
    """Raise a `FixwatchError` if there is no interpreter that can run the tests."""
    asked = "import json, sys; print(json.dumps(sys.version_info[:2]))"
    try:
        done = subprocess.run(
            [str(python), "-c", asked], capture_output=True, text=True, timeout=60, check=True
        )
        version = tuple(json.loads(done.stdout))
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise FixwatchError(
            f"{python} is no interpreter that runs; give one as --python venv/bin/python"
        ) from error
    if version < (3, 10):
        raise FixwatchError(f"{python} is Python {version[0]}.{version[1]}; 3.10 is needed")


THIS_PYTHON = Path(sys.executable)
