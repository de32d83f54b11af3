"""A thread that takes turns, and whether it sleeps."""

from __future__ import annotations

import os
import sys
import threading
from _thread import allocate_lock
from dataclasses import dataclass, field
from enum import Enum
from types import FrameType
from typing import Any

from mwe.schedules.explore.effects import OwnCalls
from mwe.schedules.explore.instructions import Instruction, is_explored
from mwe.schedules.explore.operands import Operands

_START = threading.Thread.start.__code__
# Frames of the standard library between a wait and the function that starts a thread.
_MAX_DEPTH = 5
# Where the system does not say whether a thread sleeps, one that does not take the interpreter
# lock for so many looks in a row, of 20 us and more, counts as asleep.
HAS_THREAD_STATES = os.path.exists("/proc/self/task")
N_LOOKS = 3 if HAS_THREAD_STATES else 100


class Status(Enum):
    """What a thread does."""

    WAITING = "waits for its turn"
    RUNNING = "has the turn"
    BLOCKED = "waits for something else"
    ENDED = "has ended"


@dataclass(eq=False)
class Member:
    """A thread that takes part in turns; it is created in that thread."""

    number: int  # from 0 in the order of starts; -1 is the thread that launches
    status: Status = Status.WAITING
    is_awake: bool = True  # whether it has gone on since it was given its turn
    watches: bool = True  # whether it looks often, as it waits, if the running one sleeps
    n_points: int = 0  # that it passed
    launches: bool = False  # whether it has started threads
    n_calls: int = 0  # that it made since it passed a point or started a thread
    polls: bool = False  # whether it only looks whether those threads have ended
    then: set[Instruction] = field(default_factory=set)  # what it ran behind the last one
    last_frame: FrameType | None = None  # of the last one that was recorded, while it runs
    last_offset: int = -1  # in its function
    lock: Any = field(default_factory=allocate_lock)  # taken while the thread has no turn
    has_called: bool = True  # whether its last instruction was a call, as far as it is known
    operands: dict[FrameType, Operands] = field(default_factory=dict)  # of calls that go on
    own_calls: OwnCalls = field(default_factory=OwnCalls)
    ident: int = field(default_factory=threading.get_ident)
    _native_id: int = field(default_factory=threading.get_native_id)
    _state_file: int | None = None

    def __post_init__(self) -> None:
        # Nothing here lets go of the interpreter lock: threads get their numbers one by one.
        self.lock.acquire()

    def sleeps(self) -> bool:
        """Whether the system has put it to sleep, or it has ended.

        Reading lets go of the interpreter lock first, so a thread that only waits for that lock is
        awake by then.
        """
        if not HAS_THREAD_STATES:
            return True
        try:
            if self._state_file is None:
                path = f"/proc/self/task/{self._native_id}/stat"
                opened = os.open(path, os.O_RDONLY)
                # Opening lets go of the interpreter lock: another thread may have looked meanwhile.
                if self._state_file is None:
                    self._state_file = opened
                else:
                    os.close(opened)
            text = os.pread(self._state_file, 128, 0)
        except OSError:
            return True
        # The state follows the name, which stands in parentheses and may hold any.
        end = text.rindex(b")")
        return text[end + 2 : end + 3] == b"S"

    def starts_a_thread(self) -> bool:
        """Whether it waits for a thread that it starts, which is soon over."""
        frame = sys._current_frames().get(self.ident)
        for _ in range(_MAX_DEPTH):
            if frame is None or frame.f_code is _START:
                break
            frame = frame.f_back
        return frame is not None and frame.f_code is _START

    def listen_again(self) -> None:
        """Have its next instruction in a frame that is explored traced."""
        frame: FrameType | None = sys._current_frames().get(self.ident)
        while frame is not None:
            if frame.f_trace is not None and is_explored(frame.f_code.co_filename):
                frame.f_trace_opcodes = True
            frame = frame.f_back

    def wake(self) -> None:
        """Let it go on from where it waits for its turn."""
        if self.lock.locked():
            self.lock.release()

    def close(self) -> None:
        """Let go of the system's file, for good."""
        opened, self._state_file = self._state_file, -1
        if opened is not None and opened >= 0:
            os.close(opened)
