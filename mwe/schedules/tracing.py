"""Listening by trace functions, which every Python has."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

from mwe.schedules.events import (
    UNREPORTED_FILE,
    Granularity,
    LaunchingThread,
    Listener,
    StartThread,
)


class TracingWatch(contextlib.AbstractContextManager["TracingWatch"]):
    """Listens by ``threading.settrace``, and by ``sys.settrace`` for the launching thread."""

    def __init__(
        self, granularity: Granularity, user_files: frozenset[str], outside_user_code: bool
    ) -> None:
        self._granularity = granularity
        self._user_files = user_files
        self._outside_user_code = outside_user_code

    def __exit__(self, *exception: object) -> None:
        """Leave nothing to do: each trial cleans up after itself."""

    @contextlib.contextmanager
    def trial(self, start_thread: StartThread) -> Iterator[None]:
        """See `mwe.schedules.events.Watch.trial`."""
        launching = LaunchingThread()
        numbers = itertools.count()

        def trace_first_frame(_frame: FrameType, _event: str, _arg: Any) -> Any:
            launching.note_start()
            sys.settrace(self._make_trace(start_thread(next(numbers))))
            return trace_root

        def trace_root(_frame: FrameType, event: str, _arg: Any) -> Any:
            if event == "return":
                launching.note_end()
            return trace_root

        def trace_launching(_frame: FrameType, _event: str, _arg: Any) -> None:
            launching.call()

        previous, previous_of_threads = sys.gettrace(), threading.gettrace()
        threading.settrace(trace_first_frame)
        sys.settrace(trace_launching)
        try:
            yield
        finally:
            sys.settrace(previous)
            threading.settrace(previous_of_threads)

    def _make_trace(self, listener: Listener) -> Any:
        """Return the trace function of one thread."""
        step = listener.step
        user_files = self._user_files
        hears_steps = listener.hears_steps
        steps_by_instruction = hears_steps and self._granularity is Granularity.INSTRUCTION
        step_event = "opcode" if steps_by_instruction else "line" if hears_steps else "never"
        outside = hears_steps and self._outside_user_code
        depth = 0
        left = 1

        def trace_outside(_frame: FrameType, event: str, _arg: Any) -> Any:
            nonlocal left
            if event == step_event:
                left -= 1
                if not left:
                    left = step(0)
            return trace_outside

        def trace_user(_frame: FrameType, event: str, _arg: Any) -> Any:
            nonlocal depth, left
            if event == step_event:
                left -= 1
                if not left:
                    left = step(depth)
            elif event == "return":
                listener.leave(depth)
                depth -= 1
            return trace_user

        def trace_call(frame: FrameType, _event: str, _arg: Any) -> Any:
            nonlocal depth
            file = frame.f_code.co_filename
            is_user = file in user_files
            if not is_user and (not outside or file == UNREPORTED_FILE):
                return None
            frame.f_trace_opcodes = steps_by_instruction
            frame.f_trace_lines = hears_steps and not steps_by_instruction
            if not is_user:
                return trace_outside
            depth += 1
            listener.call(depth)
            return trace_user

        return trace_call
