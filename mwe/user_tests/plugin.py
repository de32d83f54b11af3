"""The pytest plugin that runs each collected test under the schedules, and writes what it found."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from typing import Any, TextIO

import pytest

from mwe.schedules.explore.stretches import Stretch, render_stretches
from mwe.user_tests.answers import Verdict, answer
from mwe.user_tests.item import UserTest
from mwe.user_tests.plan import TrialPlan
from mwe.user_tests.reading_ahead import read_ahead
from mwe.user_tests.trials import find_interleaving, run_schedules
from mwe.user_tests.user_files import FilesBelow


class SchedulesPlugin:
    """Takes the place of pytest's loop over tests; the results are a JSON object a line.

    A line has a `kind`: ``unusable`` for what could not be collected, ``collected``, ``test``, and
    ``end``.
    """

    def __init__(self, plan: TrialPlan, results: TextIO) -> None:
        self._plan = plan
        self._results = results
        # Defects that an exploration was made of; one interleaving says what a dozen would.
        self._explored: set[str] = set()

    def _write(self, kind: str, **content: Any) -> None:
        self._results.write(json.dumps({"kind": kind, **content}) + "\n")
        self._results.flush()

    @pytest.hookimpl
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what could not be collected."""
        if report.failed:
            self._write("unusable", where=report.nodeid, what=_shorten(str(report.longrepr)))
        elif report.skipped:
            reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
            self._write("unusable", where=report.nodeid, what=reason, skipped=True)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run each test under the schedules."""
        root = session.config.rootpath
        user_files = FilesBelow(root, {str(item.path) for item in session.items})
        # What pytest would print of a failure costs it more than the run.
        session.config.option.tbstyle = "no"
        read_ahead(user_files)
        self._write("collected", n_tests=len(session.items), root=str(root))
        limit_s = self._plan.find_limit_s(len(session.items))
        self._plan = replace(self._plan, limit_s=limit_s)
        for item in session.items:
            self._write("test", **self._run_test(UserTest(item, user_files)))
        self._write("end")
        return True

    def _run_test(self, test: UserTest) -> dict[str, Any]:
        began_s = time.monotonic()
        batches = run_schedules(test, self._plan, self._explored)
        found = answer(batches)
        stretches = None
        if found.verdict in (Verdict.DEFECT, Verdict.FAILS_OTHERWISE):
            stretches = find_interleaving(test, self._plan, batches[-1])
        return {
            "test": test.name,
            "verdict": found.verdict.value,
            "defect": found.defect,
            "suspects": list(found.suspects),
            "fails_by_itself": found.fails_by_itself,
            "answer": found.text,
            "schedules": [batch.to_json() for batch in batches],
            "replay": batches[-1].first_failure_schedule,
            "interleaving": _render(stretches),
            "duration_s": round(time.monotonic() - began_s, 3),
        }


def _render(stretches: list[Any] | None) -> list[str] | None:
    if not stretches:
        return None
    return list(render_stretches([Stretch.from_json(stretch) for stretch in stretches]))


def _shorten(text: str) -> str:
    """Return the end of what pytest says of a failed import, where the error stands."""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-8:])


def run_session(arguments: list[str], plan: TrialPlan, results: TextIO) -> int:
    """Have pytest collect and run; return its exit status."""
    run: Callable[..., Any] = pytest.main
    return int(
        run([*arguments, *_find_neutral_options()], plugins=[SchedulesPlugin(plan, results)])
    )


def _find_neutral_options() -> list[str]:
    """Return options that keep plugins from taking the tests, or their tracing, over."""
    options = []
    for module, taken in (("xdist", ["-n", "0"]), ("pytest_cov", ["--no-cov"])):
        if find_spec(module) is not None:
            options += taken
    return options
