"""Running a user's tests from outside: a pytest in a process of its own, and what it found."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from mwe.errors import BadArgumentError, HarnessError
from mwe.isolation import CAN_FORK, describe_status
from mwe.targets import find_packages, find_python
from mwe.user_tests.plan import TrialPlan

FORMAT_VERSION = 1
# Verdicts of tests that failed.
FAILED = frozenset({"defect", "fails-otherwise"})
# For importing all test files; a test's own time begins behind it.
_MAX_COLLECTING_S = 180.0
_LOOK_PERIOD_S = 0.05
# Of pytest's exit statuses.
_USAGE_ERROR = 4
_MAX_LINES = 3
_FOLDER = str(Path(__file__).resolve().parents[2])


@dataclass(frozen=True, kw_only=True)
class TestRequest:
    """Which tests to run, as pytest names them, and how."""

    __test__ = False  # for pytest

    tests: Sequence[str]
    keyword: str | None = None  # what ``-k`` takes
    plugins: Sequence[str] = ()  # what ``-p`` takes, one each
    plan: TrialPlan = field(default_factory=TrialPlan)

    def list_arguments(self, folder: Path) -> list[str]:
        """Return what pytest is given; what it would leave in the project goes to the folder."""
        arguments = ["-o", f"cache_dir={folder / 'cache'}"]
        for plugin in self.plugins:
            arguments += ["-p", plugin]
        if self.keyword is not None:
            arguments += ["-k", self.keyword]
        return [*arguments, *self.tests]


def run_tests(
    request: TestRequest, announce: Callable[[str], None] = lambda _line: None
) -> dict[str, Any]:
    """Run tests in this interpreter's environment and return the object that ``--json`` prints.

    `announce` is given a line for each test.

    Raises
    ------
    BadArgumentError
        If there is no such test.
    HarnessError
        If pytest, numba or a safe fork is missing, or nothing could be collected.
    """
    if not CAN_FORK:
        raise HarnessError(
            "running tests under schedules needs a safe fork, which this system lacks; use Linux"
        )
    with tempfile.TemporaryDirectory(prefix="mwe-tests-") as name:
        folder = Path(name)
        lines = list(_follow(request, folder, announce))
    failed = [line["what"] for line in lines if line["kind"] == "failed"]
    if failed:
        raise HarnessError(failed[0])
    unusable = [line for line in lines if line["kind"] == "unusable"]
    tests = [line for line in lines if line["kind"] == "test"]
    if not tests:
        raise HarnessError(_explain_nothing(unusable))
    collected = next(line for line in lines if line["kind"] == "collected")
    died = [line["what"] for line in lines if line["kind"] == "died"]
    for line in (*unusable, *tests):
        del line["kind"]
    return {
        "version": FORMAT_VERSION,
        "root": collected["root"],
        "tests": tests,
        "unusable": unusable,
        "status": died[0] if died else "complete",
        "plan": asdict(request.plan),
        "packages": find_packages(),
        "python": find_python(),
    }


def _explain_nothing(unusable: Sequence[dict[str, Any]]) -> str:
    if not unusable:
        return "no tests were collected; name files, folders or node ids as for pytest"
    first = unusable[0]
    what = " ".join(first["what"].split("\n")[-1].split()) or "no reason given"
    if first.get("skipped"):
        return f"no tests were run: {first['where']} is skipped: {what}"
    return f"no tests were collected: {first['where']}: {what}"


def _follow(
    request: TestRequest, folder: Path, announce: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Start the process, and yield what it writes, line by line."""
    results, output = folder / "results", folder / "output"
    results.touch()
    asked = {
        "results": str(results),
        "arguments": request.list_arguments(folder),
        "plan": asdict(request.plan),
    }
    paths = [_FOLDER, *filter(None, [os.environ.get("PYTHONPATH")])]
    with output.open("w", encoding="utf-8") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "mwe.user_tests"],
            stdin=subprocess.PIPE,
            stdout=written,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            # So it can be ended with all that the tests have started, and has no terminal.
            start_new_session=True,
        )
    try:
        with process.stdin as stdin:  # type: ignore[union-attr]
            stdin.write(json.dumps(asked))
        yield from _read_while_it_runs(process, results, output, announce)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _read_while_it_runs(
    process: subprocess.Popen[str], results: Path, output: Path, announce: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    began_s = time.monotonic()
    kinds: set[str] = set()
    n_tests = n_done = 0
    with results.open(encoding="utf-8") as lines:
        while True:
            has_ended = process.poll() is not None
            while text := lines.readline():
                line = json.loads(text)
                kinds.add(line["kind"])
                n_tests = line.get("n_tests", n_tests)
                if line["kind"] == "test":
                    n_done += 1
                    announce(f"{n_done} of {n_tests}: {line['test']}: {line['answer']}")
                yield line
            if has_ended:
                break
            if "collected" not in kinds and time.monotonic() - began_s > _MAX_COLLECTING_S:
                raise HarnessError(
                    f"collecting the tests did not end within {_MAX_COLLECTING_S:g} s; "
                    "importing one of the files hangs"
                )
            time.sleep(_LOOK_PERIOD_S)
    if kinds & {"end", "failed"}:
        return
    status = process.returncode
    last = _find_last_lines(output)
    if status == _USAGE_ERROR:
        raise BadArgumentError(f"pytest does not take this: {last}")
    how = describe_status(status)
    if "collected" in kinds:
        yield {"kind": "died", "what": f"pytest's process ended early ({how}): {last}"}
    elif status < 0 or not kinds:
        raise HarnessError(f"the process that collects the tests ended ({how}): {last}")


def _find_last_lines(output: Path) -> str:
    """Return what pytest said last, the lines of errors if there are some."""
    lines = output.read_text(encoding="utf-8", errors="replace").splitlines()
    lines = [line.strip() for line in lines if line.strip(" =-")]
    errors = [line for line in lines if line.startswith(("ERROR", "E  ", "error"))]
    return "; ".join((errors or lines)[-_MAX_LINES:]) or "it printed nothing"


def render(document: dict[str, Any]) -> Iterator[str]:
    """Yield the lines for the terminal: the answers, then the schedules, then interleavings."""
    for test in document["tests"]:
        yield f"{test['test']}: {test['answer']}"
    for place in document["unusable"]:
        what = " ".join(place["what"].split("\n")[-1].split())
        how = "skipped" if place.get("skipped") else "not collected"
        yield f"{place['where']}: {how}: {what}"
    if document["status"] != "complete":
        yield document["status"]
    packages = ", ".join(f"{name} {version}" for name, version in document["packages"].items())
    yield f"  {document['python']}; {packages}"
    for test in document["tests"]:
        if test["verdict"] in FAILED:
            yield ""
            yield from render_test(test)


def render_test(test: dict[str, Any]) -> Iterator[str]:
    """Yield what is known of a test that failed: its schedules, its errors, an interleaving."""
    yield test["test"]
    for batch in test["schedules"]:
        status = "" if batch["status"] == "complete" else f"; {batch['status']}"
        counts = f"{batch['failures']:>4} of {batch['trials']:>4}"
        yield f"  {batch['schedule']:<8} {counts} failed{status}"
    seen = dict.fromkeys(detail for batch in test["schedules"] for detail in batch["details"])
    for detail in list(seen)[:_MAX_LINES]:
        yield f"    {detail.strip().splitlines()[0] if detail.strip() else ''}"
    if test["replay"]:
        yield f"  python -m mwe --test '{test['test']}' --replay {test['replay']} shows it:"
    for line in test["interleaving"] or ():
        yield f"  {line}".rstrip()
