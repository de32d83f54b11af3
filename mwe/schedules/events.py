"""What a schedule hears of the threads of a trial.

A schedule hears calls and returns of the user's own functions, and steps: lines or instructions
that a simulated thread is about to run, in whichever function. `mwe.schedules.tracing` reports
them. Nothing here knows a simulator: a simulated thread is one that was started inside a trial, and
a function is the user's if it stands in one of the files that the workload names.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from enum import Enum

from mwe.workloads.subject import LaunchShape

# Applies a schedule, for a seed, to every thread that is started inside the block. What the block
# is given is the launches of the trial; None leaves one to the workload.
Pacer = Callable[[str], AbstractContextManager[Sequence[LaunchShape] | None]]


class Granularity(str, Enum):
    """What a step is."""

    LINE = "line"
    INSTRUCTION = "instruction"


class Listener:
    """Hears one simulated thread, in that thread; pausing it means not returning at once.

    `depth` is 1 in the outermost function of the user's, the kernel, and 2 in one that it calls,
    a device function. This one leaves its thread alone.
    """

    hears_steps = False  # without them a thread costs much less

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


# Called in each new thread with its number, from 0 in order of first events.
StartThread = Callable[[int], Listener]
