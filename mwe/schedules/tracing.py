"""Listening to the threads of a trial by trace functions."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Collection, Iterator
from threading import get_ident
from types import FrameType
from typing import Any

from mwe.schedules.events import Granularity, Listener, StartThread

# Frames of the standard library's threading are not reported: nothing of a workload is there.
_UNREPORTED_FILE = threading.__file__
# The launching thread starts a thread at least every so many calls; after more it is only polling.
_MAX_CALLS_BETWEEN_STARTS = 80
_PARKING_S = 200e-6


@contextlib.contextmanager
def listen(
    start_thread: StartThread,
    granularity: Granularity,
    *,
    user_files: Collection[str],
    outside_user_code: bool,
) -> Iterator[None]:
    """Listen to each thread started inside; functions in `user_files` are the user's.

    `outside_user_code` asks for steps in others too.

    A simulator's launching thread polls in a loop and holds the interpreter lock most of the time,
    so that a pause of 50 us costs milliseconds. After 80 calls without starting a thread, while
    some run, it is only polling: it then sleeps 200 us at each call, which the operating system
    could have made it do. One that polls without calls, or starts threads more slowly, is left
    alone, and trials cost more.
    """
    running: set[int] = set()
    n_calls = 0
    numbers = itertools.count()

    def trace_first_frame(_frame: FrameType, _event: str, _arg: Any) -> Any:
        nonlocal n_calls
        running.add(get_ident())
        n_calls = 0
        listener = start_thread(next(numbers))
        sys.settrace(_make_trace(listener, granularity, user_files, outside_user_code))
        return trace_root

    def trace_root(_frame: FrameType, event: str, _arg: Any) -> Any:
        if event == "return":
            running.discard(get_ident())
        return trace_root

    def trace_launching(_frame: FrameType, _event: str, _arg: Any) -> None:
        nonlocal n_calls
        n_calls += 1
        if n_calls > _MAX_CALLS_BETWEEN_STARTS and running:
            time.sleep(_PARKING_S)

    previous, previous_of_threads = sys.gettrace(), threading.gettrace()
    ask_for_instructions()
    threading.settrace(trace_first_frame)
    sys.settrace(trace_launching)
    try:
        yield
    finally:
        sys.settrace(previous)
        threading.settrace(previous_of_threads)


def _make_trace(
    listener: Listener,
    granularity: Granularity,
    user_files: Collection[str],
    outside_user_code: bool,
) -> Any:
    """Return the trace function of one thread."""
    step = listener.step
    hears_steps = listener.hears_steps
    steps_by_instruction = hears_steps and granularity is Granularity.INSTRUCTION
    step_event = "opcode" if steps_by_instruction else "line" if hears_steps else "never"
    outside = hears_steps and outside_user_code
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
        if not is_user and (not outside or file == _UNREPORTED_FILE):
            return None
        frame.f_trace_lines = hears_steps and not steps_by_instruction
        trace = trace_user if is_user else trace_outside
        if steps_by_instruction:
            hear_instructions(frame, trace)
        if is_user:
            depth += 1
            listener.call(depth)
        return trace

    return trace_call


def ask_for_instructions() -> None:
    """Mark a frame: Python 3.12 asks whether any was where tracing begins, and at no later time."""
    sys._getframe().f_trace_opcodes = True


def hear_instructions(frame: FrameType, trace: Any) -> None:
    """Have a function that is being called call `trace` at each of its instructions."""
    # In this order: Python 3.13 takes it from a frame that is traced already.
    frame.f_trace = trace
    frame.f_trace_opcodes = True
