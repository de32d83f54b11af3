"""One run of a test: through pytest's own protocol, its body under a schedule, then judged."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mwe.errors import HarnessError
from mwe.outcomes import PASSED, FailureMode, Outcome
from mwe.runner import join_threads_since
from mwe.schedules import Pacer
from mwe.user_tests.diagnosis import classify_test_error, name_defect
from mwe.user_tests.user_files import FilesBelow, find_guarded_globals

# Simulated threads of a launch that failed go on for so long, at most. Whatever else a test leaves
# running is its own business.
_JOIN_TIMEOUT_S = 1.0
SKIPPED = "skipped: "


class UserTest:
    """A collected test, which can be run once in a process."""

    n_threads = 0  # of its launches, which nobody knows

    def __init__(self, item: pytest.Item, user_files: FilesBelow) -> None:
        self.item = item
        self.user_files = user_files
        file, _, rest = item.nodeid.partition("::")
        place = os.path.relpath(item.path) if file else ""
        self.name = f"{place}::{rest}" if rest else place  # as pytest takes it in this folder
        self._guarded_globals = find_guarded_globals(user_files)

    def run(self, pace: Pacer | None, trial_seed: str) -> Outcome:
        """Set it up, call it under a schedule, tear it down, and judge; None paces nothing.

        Whatever pytest makes of it counts: marks, fixtures and plugins work as they do there.
        """
        observer = _Observer(pace, trial_seed)
        plugins = self.item.config.pluginmanager
        plugins.register(observer)
        try:
            _silence(plugins.get_plugin("terminalreporter"))
            self.item.ihook.pytest_runtest_protocol(item=self.item, nextitem=None)
        finally:
            plugins.unregister(observer)
        outcome = observer.judge()
        leaked = [variable for variable in self._guarded_globals if variable.is_leaked()]
        if leaked and not outcome.failed:
            names = ", ".join(f"{variable.module.__name__}.{variable.name}" for variable in leaked)
            detail = f"not numba.cuda after the test: {names}"
            outcome = Outcome(mode=FailureMode.LEAKED_GLOBAL, detail=detail)
        return replace(outcome, leaked=bool(leaked))


def _silence(reporter: Any) -> None:
    """Have pytest print nothing of a run that is one of hundreds."""
    with contextlib.suppress(AttributeError):
        reporter._tw._file = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (till the end)


class _Observer:
    """The plugin that paces a run and keeps what pytest reports of it."""

    def __init__(self, pace: Pacer | None, trial_seed: str) -> None:
        self._pace = pace
        self._trial_seed = trial_seed
        self._reports: list[tuple[pytest.TestReport, BaseException | None]] = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Put the schedule around what is to be called: a test's function, if it has one."""
        name = "runtest"
        if isinstance(item, pytest.Function) and not inspect.iscoroutinefunction(item.obj):
            # What pytest does around it is no part of the test, nor is unittest's `setUp`.
            name = "obj"
        original = getattr(item, name)
        setattr(item, name, _pace_call(original, self._pace, self._trial_seed))
        yield
        setattr(item, name, original)

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, call: Any) -> Iterator[None]:
        """Keep the report as all plugins leave it, with the error itself."""
        finished: Any = yield
        error = call.excinfo.value if call.excinfo else None
        self._reports.append((finished.get_result(), error))

    def judge(self) -> Outcome:
        """Return what the first report says that is not of a phase that passed."""
        for report, error in self._reports:
            expected = hasattr(report, "wasxfail")
            if report.passed and not expected:
                continue
            if report.skipped and not expected:
                return Outcome(mode=None, detail=f"{SKIPPED}{_find_reason(report)}")
            outcome = PASSED
            if isinstance(error, pytest.FixtureLookupError):
                # Its own text is that of pytest's objects; pytest prints this line first.
                detail = error.formatrepr().errorstring.splitlines()[0].strip()
                outcome = Outcome(mode=FailureMode.EXCEPTION, detail=detail)
            elif error is not None:
                outcome = classify_test_error(error)
            elif report.failed:
                detail = str(report.longrepr)
                outcome = Outcome(mode=FailureMode.EXCEPTION, detail=detail)
            if expected and name_defect(outcome) is None:
                return Outcome(mode=None, detail="failed as its mark expects" if error else "")
            if report.when != "call" and outcome.mode is not FailureMode.MISSING_ATTRIBUTE:
                outcome = replace(outcome, detail=f"in its {report.when}: {outcome.detail}")
            return outcome
        if not self._reports:
            raise HarnessError("pytest reported nothing of the test; a plugin may run it elsewhere")
        return PASSED


def _find_reason(report: pytest.TestReport) -> str:
    place = report.longrepr
    reason = place[2] if isinstance(place, tuple) else str(place)
    return reason.removeprefix("Skipped: ")


def _pace_call(
    function: Callable[..., Any], pace: Pacer | None, trial_seed: str
) -> Callable[..., Any]:
    """Return a function that does the same under the schedule."""
    if pace is None:
        return function

    @functools.wraps(function)
    def paced(*arguments: Any, **options: Any) -> Any:
        before = frozenset(threading.enumerate())
        with pace(trial_seed), _other_tracing_set_aside():
            try:
                return function(*arguments, **options)
            except BaseException:
                join_threads_since(before, _JOIN_TIMEOUT_S)
                raise

    return paced


@contextlib.contextmanager
def _other_tracing_set_aside() -> Iterator[None]:
    """Keep a test's own trace function of threads from taking the schedule's place.

    A test that orders its threads by one is run so without a schedule.
    """
    wanted: list[Any] = [None]

    def set_trace(function: Any) -> None:
        wanted[0] = function

    with contextlib.ExitStack() as stack:
        for name, replacement in (("settrace", set_trace), ("gettrace", lambda: wanted[0])):
            stack.callback(setattr, threading, name, getattr(threading, name))
            setattr(threading, name, replacement)
        yield
