"""What a schedule hears of the threads of a trial.

A schedule hears calls and returns of the user's own functions, and steps: lines or instructions
that a simulated thread is about to run, in whichever function. `mwe.schedules.monitoring` and
`mwe.schedules.tracing` report them, and mean the same. Nothing here knows a simulator: a
simulated thread is one that was started inside a trial, and a function is the user's if it stands
in one of the files that the workload names.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from enum import Enum
from types import CodeType
from typing import Protocol

from mwe.workloads.subject import LaunchShape

# Applies a schedule, for a seed, to every thread that is started inside the block. What the block
# is given is the launches of the trial; None leaves one to the workload.
Pacer = Callable[[str], AbstractContextManager[Sequence[LaunchShape] | None]]

# Frames of the standard library's threading are not reported: nothing of a workload is there.
UNREPORTED_FILE = threading.__file__
# The launching thread starts a thread at least every so many calls; after more it is only polling.
_MAX_CALLS_BETWEEN_STARTS = 80
_PARKING_S = 200e-6


class Granularity(str, Enum):
    """What a step is."""

    LINE = "line"
    INSTRUCTION = "instruction"


class Listener:
    """Hears one simulated thread, in that thread; pausing it means not returning at once.

    `depth` is 1 in the outermost function of the user's, the kernel, and 2 in one that it calls,
    a device function. This one leaves its thread alone.

    Attributes
    ----------
    hears_steps
        Whether it wants to hear steps at all; without them a thread costs much less.
    """

    hears_steps = False

    def call(self, depth: int) -> None:
        """Hear that a function of the user's is entered."""

    def leave(self, depth: int) -> None:
        """Hear that a function of the user's is left, by return or by an exception."""

    def step(self, _depth: int) -> int:
        """Hear of the next line or instruction; depth 0 is outside of the user's functions.

        Returns the number of the step, counted from this one, at which to be told again, so that
        steps in between cost little. The first step of a thread is always told.
        """
        return sys.maxsize


StartThread = Callable[[int], Listener]


class Watch(Protocol):
    """A way of listening, open for a batch."""

    def trial(self, start_thread: StartThread) -> AbstractContextManager[None]:
        """Listen to each thread started inside.

        Parameters
        ----------
        start_thread
            Called in each new thread with its number, from 0 in order of first events; returns
            what hears it.
        """


class LaunchingThread:
    """Keeps the thread that launches from spinning while the simulated threads run.

    A simulator's launching thread polls in a loop and holds the interpreter lock most of the time,
    so that a pause of 50 us costs milliseconds. After 80 calls without starting a thread, while
    some run, it is only polling: it then sleeps 200 us at each call, which the operating system
    could have made it do. One that polls without calls, or starts threads more slowly, is left
    alone, and trials cost more.
    """

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._n_calls = 0

    def note_start(self) -> None:
        """Record that the calling thread runs."""
        self._running.add(threading.get_ident())
        self._n_calls = 0

    def note_end(self) -> None:
        """Record that the calling thread ends."""
        self._running.discard(threading.get_ident())

    def call(self) -> None:
        """Sleep if the launching thread is only polling; it calls this at each of its own calls."""
        self._n_calls += 1
        if self._n_calls > _MAX_CALLS_BETWEEN_STARTS and self._running:
            time.sleep(_PARKING_S)


def is_reported(code: CodeType) -> bool:
    """Whether a function's events reach a listener."""
    return code.co_filename != UNREPORTED_FILE
