"""Hand-off: two simulated threads are made to overlap in the device function."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar

from mwe.schedules.events import Granularity, Listener, Pacer
from mwe.schedules.explore.threads import Member
from mwe.schedules.tracing import listen
from mwe.targets import Target

_LOOK_PERIOD_S = 2e-3
# Of each wait, whatever the other thread does.
_MAX_WAIT_S = 5.0
# For the other thread to start: on a busy machine its launcher waits for a core.
_MAX_START_S = 1.0


@dataclass(frozen=True, kw_only=True)
class HandOff:
    """Let the second thread enter the device function while the first is in it, and leave after it.

    The second thread waits at the kernel's entry until the first is in the device function; the
    first waits there until the second is in too; the second waits until the first is back in the
    kernel. Only calls, lines and returns of the user's own functions are watched.

    Each wait only decides when a thread runs, so the interleaving is one that the operating system
    could have chosen. It is one interleaving: what another one would show, such as a wrong fix
    that fails between two lines of the simulator's, is missed. A simulator in which the second
    cannot enter before the first has left (a lock held throughout) makes the waits run into their
    limit, and the trial goes on as if untouched.

    Source: two threads and one ordering constraint trigger most races, see Burckhardt et al., "A
    randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010.
    """

    # Of each wait, while the other thread sleeps. What is waited for happens within a millisecond
    # on an idle machine; with a limit of 0.1 ms one trial in five misses it. On a busy one the
    # other thread waits for a core, which is no sleep, or has not been started.
    max_wait_s: float = 50e-3
    n_active_threads: int | None = 2  # of a trial
    targets: ClassVar[frozenset[Target]] = frozenset({Target.SIMULATOR})

    @contextlib.contextmanager
    def open(self, user_files: Collection[str]) -> Iterator[Pacer]:
        """Make ready for a batch whose user's functions stand in these files.

        The first two threads of a trial are ordered; its seed decides nothing.
        """

        @contextlib.contextmanager
        def pace(_trial_seed: str) -> Iterator[None]:
            meeting = _Meeting(self.max_wait_s)
            ordered = (_First(meeting), _Second(meeting))
            with (
                contextlib.closing(meeting),
                listen(
                    lambda number: ordered[number] if number < 2 else Listener(),
                    Granularity.LINE,
                    user_files=user_files,
                    outside_user_code=False,
                ),
            ):
                yield

        yield pace


class _Meeting:
    """What the two threads tell each other."""

    def __init__(self, max_wait_s: float) -> None:
        self._max_wait_s = max_wait_s
        self._members: dict[int, Member] = {}
        self.first_is_in = threading.Event()
        self.second_is_in = threading.Event()
        self.first_is_back = threading.Event()

    def come(self, number: int) -> None:
        """Say that the calling thread is the first or the second."""
        self._members.setdefault(number, Member(number))

    def wait(self, event: threading.Event, number: int) -> None:
        """Wait for what the thread of that number does, until it has slept for long."""
        start_s = asleep_since_s = time.monotonic()
        while not event.wait(_LOOK_PERIOD_S):
            other, now_s = self._members.get(number), time.monotonic()
            is_starting = other is None and now_s < start_s + _MAX_START_S
            if is_starting or (other is not None and not other.sleeps()):
                asleep_since_s = now_s
            if now_s >= min(start_s + _MAX_WAIT_S, asleep_since_s + self._max_wait_s):
                break

    def close(self) -> None:
        """Let go of what was needed to look at the threads."""
        for member in self._members.values():
            member.close()


class _First(Listener):
    hears_steps = True

    def __init__(self, meeting: _Meeting) -> None:
        self._meeting = meeting
        self._was_in = False

    def call(self, depth: int) -> None:
        self._meeting.come(1)
        if depth == 2 and not self._was_in:
            self._was_in = True
            self._meeting.first_is_in.set()
            self._meeting.wait(self._meeting.second_is_in, 2)

    def step(self, depth: int) -> int:
        if depth == 1 and self._was_in:
            self._meeting.first_is_back.set()
            return sys.maxsize
        return 1

    def leave(self, depth: int) -> None:
        if depth == 1:
            # A kernel that returns early, or calls no device function, must not keep the other.
            self._meeting.first_is_in.set()
            self._meeting.first_is_back.set()


class _Second(Listener):
    def __init__(self, meeting: _Meeting) -> None:
        self._meeting = meeting
        self._was_in = False

    def call(self, depth: int) -> None:
        self._meeting.come(2)
        if depth == 1:
            self._meeting.wait(self._meeting.first_is_in, 1)
        elif depth == 2 and not self._was_in:
            self._was_in = True
            self._meeting.second_is_in.set()
            self._meeting.wait(self._meeting.first_is_back, 1)

    def leave(self, depth: int) -> None:
        if depth == 1:
            self._meeting.second_is_in.set()
