"""Listening by ``sys.monitoring``, from Python 3.12 on."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import get_ident
from types import CodeType
from typing import Any

from mwe.errors import HarnessError
from mwe.schedules.events import (
    Granularity,
    LaunchingThread,
    Listener,
    StartThread,
    is_reported,
)

# The first number that the documentation of sys.monitoring leaves to anybody.
_TOOL_ID = 3


def iter_user_code(user_files: frozenset[str]) -> Iterator[CodeType]:
    """Yield the code of all functions in some files that are imported, nested ones included."""
    for module in list(sys.modules.values()):
        if getattr(module, "__file__", None) in user_files:
            for value in list(vars(module).values()):
                members = vars(value).values() if isinstance(value, type) else (value,)
                found: list[Any] = [getattr(member, "__code__", None) for member in members]
                while found:
                    code = found.pop()
                    if isinstance(code, CodeType) and code.co_filename in user_files:
                        yield code
                        found += code.co_consts


@dataclass
class _Thread:
    """A simulated thread: what hears it, its outermost function, and where it is."""

    listener: Listener
    root: CodeType
    depth: int = 0


class MonitoringWatch(contextlib.AbstractContextManager["MonitoringWatch"]):
    """Listens to starts of functions everywhere, and to steps in those that threads have run.

    Switching events on and off instruments every function anew, which costs more than a trial; so
    they stay on for a batch, and outside of trials nobody hears them.
    """

    def __init__(
        self, granularity: Granularity, user_files: frozenset[str], outside_user_code: bool
    ) -> None:
        self._monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
        events = self._monitoring.events
        self._step_event = (
            events.INSTRUCTION if granularity is Granularity.INSTRUCTION else events.LINE
        )
        self._user_files = user_files
        self._outside_user_code = outside_user_code
        self._threads: dict[int, _Thread] = {}
        # Steps until each thread that hears steps is told again.
        self._left: dict[int, int] = {}
        self._hear_step = self._make_hear_step()
        self._instrumented: set[CodeType] = set()
        self._start_thread: StartThread | None = None

    def __enter__(self) -> MonitoringWatch:
        """Switch the events on.

        Raises
        ------
        HarnessError
            If another tool in this process holds the tool number.
        """
        monitoring, events = self._monitoring, self._monitoring.events
        try:
            monitoring.use_tool_id(_TOOL_ID, "mwe")
        except ValueError as error:
            raise HarnessError(
                f"sys.monitoring's tool {_TOOL_ID} is in use by "
                f"{monitoring.get_tool(_TOOL_ID)}; run without it"
            ) from error
        for event, callback in self._callbacks().items():
            monitoring.register_callback(_TOOL_ID, event, callback)
        monitoring.set_events(_TOOL_ID, events.PY_START | events.PY_UNWIND)
        # A function that runs already hears of its steps from its next call on only.
        for code in iter_user_code(self._user_files):
            self._instrument(code, wants_end=True)
        return self

    def __exit__(self, *exception: object) -> None:
        """Switch the events off."""
        for code in self._instrumented:
            self._monitoring.set_local_events(_TOOL_ID, code, 0)
        self._instrumented.clear()
        self._monitoring.set_events(_TOOL_ID, 0)
        for event in self._callbacks():
            self._monitoring.register_callback(_TOOL_ID, event, None)
        self._monitoring.free_tool_id(_TOOL_ID)

    def _callbacks(self) -> dict[int, Any]:
        events = self._monitoring.events
        return {
            events.PY_START: self._hear_start,
            events.PY_RETURN: self._hear_end,
            events.PY_UNWIND: self._hear_end,
            self._step_event: self._hear_step,
        }

    @contextlib.contextmanager
    def trial(self, start_thread: StartThread) -> Iterator[None]:
        """See `mwe.schedules.events.Watch.trial`."""
        self._launching = LaunchingThread()
        self._launching_ident = get_ident()
        self._bystanders = frozenset(thread.ident for thread in threading.enumerate())
        self._numbers = itertools.count()
        self._start_thread = start_thread
        try:
            yield
        finally:
            self._start_thread = None
            self._threads.clear()
            self._left.clear()

    def _hear_start(self, code: CodeType, _offset: int) -> None:
        if self._start_thread is None:
            return
        ident = get_ident()
        thread = self._threads.get(ident)
        if thread is None:
            if ident == self._launching_ident:
                self._launching.call()
                return
            if ident in self._bystanders or not is_reported(code):
                return
            self._launching.note_start()
            thread = _Thread(self._start_thread(next(self._numbers)), code)
            self._threads[ident] = thread
            if thread.listener.hears_steps:
                self._left[ident] = 1
        is_user = code.co_filename in self._user_files
        if code not in self._instrumented:
            self._instrument(code, wants_end=is_user or code is thread.root)
        if is_user:
            thread.depth += 1
            thread.listener.call(thread.depth)

    def _instrument(self, code: CodeType, *, wants_end: bool) -> None:
        self._instrumented.add(code)
        is_user = code.co_filename in self._user_files
        wants_steps = is_user or (self._outside_user_code and is_reported(code))
        events = self._step_event if wants_steps else 0
        if wants_end:
            events |= self._monitoring.events.PY_RETURN
        if events:
            self._monitoring.set_local_events(_TOOL_ID, code, events)

    def _make_hear_step(self) -> Callable[[CodeType, int], None]:
        # Called for every line or instruction: names local to the closure halve its cost.
        threads, left, ident_of = self._threads, self._left, get_ident

        def hear_step(_code: CodeType, _place: int) -> None:
            ident = ident_of()
            n_left = left.get(ident)
            if n_left is None:
                return
            if n_left > 1:
                left[ident] = n_left - 1
                return
            thread = threads[ident]
            left[ident] = thread.listener.step(thread.depth)

        return hear_step

    def _hear_end(self, code: CodeType, _offset: int, _value: object) -> None:
        ident = get_ident()
        thread = self._threads.get(ident)
        if thread is None:
            return
        if code.co_filename in self._user_files:
            thread.listener.leave(thread.depth)
            thread.depth -= 1
        if code is thread.root:
            del self._threads[ident]
            self._left.pop(ident, None)
            self._launching.note_end()
