"""Taking turns: the threads of a trial run one at a time.

Exactly one thread has the turn; the others wait in their trace function. Whoever waits also
watches: with a long switch interval a waiting thread gets the interpreter lock only once the
running one has let go of it, so it learns within microseconds that the running one sleeps, and
takes the turn on. What the running one waits with, a lock, a barrier or a pool, makes no
difference.

The launching thread has the lowest rank: it goes on when no other thread can, and gives its turn
away when it only polls. Needs an interpreter lock.
"""

from __future__ import annotations

import sys
import time
from types import FrameType
from typing import Any

from mwe.schedules.explore.threads import N_LOOKS, Member, Status

# A thread that waits looks after so long whether the running one sleeps. It takes the interpreter
# lock for that, so shorter is slower on the whole.
_WATCH_PERIOD_S = 100e-6
_SECOND_LOOK_S = 20e-6
# Of a thread that is not explored. With dozens of them the others would hardly get the lock.
_REST_PERIOD_S = 20e-3
# A launch starts its next thread within so many calls of its own; after more of them it polls.
MAX_CALLS_BETWEEN_STARTS = 200
_MAX_IDLE_ROUNDS = 100
_IDLE_PERIOD_S = 1e-3
_DEADLOCK = "{} threads wait, and nothing is left to wake them"


class DeadlockError(Exception):
    """Every thread waits for something, and has for longer than any of them should."""


class TurnTaking:
    """Who has the turn.

    Nothing here lets go of the interpreter lock but `_park` and `_settle`, so the rest happens in
    one go.

    Parameters
    ----------
    first
        The number of the thread that is given the first turn.
    max_calls
        How many calls the launching thread makes before its turn is given away: it polls then.
    max_idle_s
        How long all threads may wait for something other than their turn.
    """

    def __init__(self, first: int, max_calls: int, max_idle_s: float) -> None:
        self._first = first
        self._max_calls = max_calls
        self._max_idle_s = max_idle_s
        self._members: list[Member] = []
        self._launcher = Member(-1, Status.RUNNING)
        self._running: Member | None = self._launcher
        self._n_turns = 0
        self._n_blocked = 0
        self._has_blocked = False
        self._n_calls = 0
        self._n_idle_rounds = 0
        self._idle_since_s: float | None = None
        self._is_settling = False
        self._is_over = False
        self._seen: tuple[Any, ...] = ()

    def _begin(self, member: Member) -> None:
        """Hear which thread is given the first turn."""

    def _note_end_of_stretch(self) -> None:
        """Hear that a thread has ended or waits, before another one goes on."""

    def _choose(self) -> Member | None:
        waiting = [member for member in self._members if member.status is Status.WAITING]
        if not self._n_turns:
            waiting.sort(key=lambda member: member.number != self._first)
        waiting.sort(key=lambda member: member.polls)
        return waiting[0] if waiting else None

    def _give(self, member: Member) -> None:
        if member is not self._launcher:
            if not self._n_turns:
                self._begin(member)
            self._n_turns += 1
        if self._n_blocked and member is not self._launcher:
            # It may let go of what others wait for.
            member.listen_again()
        self._running = member
        member.is_awake = False
        member.status = Status.RUNNING
        member.wake()

    def _give_on(self) -> None:
        """Give the turn to the next, from a thread that has ended or blocks."""
        self._running = None
        self._note_end_of_stretch()
        if self._n_blocked:
            self._settle()
            if self._running is not None:
                return
        chosen = self._choose()
        if chosen is None and self._launcher.status is Status.WAITING:
            chosen = self._launcher
        if chosen is not None:
            self._give(chosen)

    def _arrive(self, member: Member, frame: FrameType) -> None:
        """Wait for the turn, in the thread that is new or was blocked."""
        if member.status is Status.BLOCKED and member is not self._launcher:
            self._n_blocked -= 1
        member.status = Status.WAITING
        if self._running is None and not self._is_settling:
            self._give_on()
        self._park(member, frame)

    def _park(self, member: Member, frame: FrameType) -> None:
        """Wait for the turn in a trace function, and see to it that who has it can run."""
        self._watch(member)
        if sys.version_info < (3, 11):
            # The interpreter puts back the cells that it read before it called the trace function
            # (https://github.com/python/cpython/issues/74929); this has it read them again.
            frame.f_locals  # noqa: B018

    def _watch(self, member: Member) -> None:
        n_seen_asleep = 0
        seen: Member | None = None
        rest_s = _WATCH_PERIOD_S if member.watches else _REST_PERIOD_S
        period_s = rest_s
        while not self._is_over:
            if member.lock.acquire(timeout=period_s):
                member.is_awake = True
                return
            running = self._running
            if running is member or running is None:
                n_seen_asleep, period_s = 0, rest_s
                if running is None and not self._is_settling:
                    self._give_on()
                continue
            if (
                self._is_settling
                # It may wait for the interpreter lock yet, which watchers hand to one another.
                or not running.is_awake
                or running is not seen
                or not running.sleeps()
                or running is not self._running
            ):
                n_seen_asleep, period_s, seen = 0, rest_s, running
                continue
            n_seen_asleep += 1
            period_s = _SECOND_LOOK_S
            if n_seen_asleep >= N_LOOKS and not running.starts_a_thread():
                n_seen_asleep, period_s = 0, rest_s
                self._note_block(running)

    def _note_block(self, running: Member) -> None:
        running.status = Status.BLOCKED
        if running is not self._launcher:
            self._has_blocked = True
            self._n_blocked += 1
        # Where it runs on, it is heard at its next instruction, whatever it was deaf to before.
        running.listen_again()
        self._give_on()

    def _settle(self) -> None:
        """Wait until each blocked thread has arrived, or sleeps still."""
        self._is_settling = True
        n_looks = {member: 0 for member in self._members if member.status is Status.BLOCKED}
        while n_looks and not self._is_over:
            time.sleep(_SECOND_LOOK_S)
            for member, n_seen_asleep in list(n_looks.items()):
                n_looks[member] = n_seen_asleep + 1 if member.sleeps() else 0
                if member.status is not Status.BLOCKED or n_looks[member] == N_LOOKS:
                    del n_looks[member]
        self._is_settling = False

    def _end(self, member: Member) -> None:
        member.status = Status.ENDED
        if self._running is member and not self._is_over:
            self._give_on()

    def raise_if_stuck(self) -> None:
        """Raise a `DeadlockError` in the launching thread if nobody went on since last asked.

        For when it waits itself, with nobody left who waits for a turn and watches.
        """
        seen = self._n_turns, tuple(member.n_points for member in self._members)
        is_same, self._seen = seen == self._seen, seen
        running = self._running
        if (
            self._is_over
            or self._launcher.status is not Status.BLOCKED
            or not is_same
            or any(member.status is Status.WAITING for member in self._members)
            or (running is not None and not running.sleeps())
        ):
            return
        self._seen = ()
        raise DeadlockError(_DEADLOCK.format(self._n_blocked + (running is not None)))

    def _end_turns(self) -> None:
        """Let every thread that is left run as it likes."""
        self._is_over = True
        for member in [self._launcher, *self._members]:
            if member.status is Status.WAITING:
                member.wake()
            member.close()

    def _call_of_member(self, member: Member, frame: FrameType) -> None:
        """Give the turn of a thread that has started others away when it only polls them."""
        member.n_calls += 1
        if member.n_calls <= self._max_calls:
            return
        member.n_calls = 0
        member.polls = True
        if self._n_blocked:
            self._settle()
        chosen = self._choose()
        if chosen is not None:
            self._note_end_of_stretch()
            member.status = Status.WAITING
            self._give(chosen)
            self._park(member, frame)

    def _call_of_launcher(self, frame: FrameType) -> None:
        launcher = self._launcher
        if self._running is not launcher:
            self._arrive(launcher, frame)
            return
        self._n_calls += 1
        if self._n_calls <= self._max_calls:
            return
        self._n_calls = 0
        if self._n_blocked:
            self._settle()
        chosen = self._choose()
        if chosen is not None:
            self._n_idle_rounds, self._idle_since_s = 0, None
            launcher.status = Status.WAITING
            self._give(chosen)
            self._park(launcher, frame)
            return
        # All wait for something outside, or have ended; polling faster does not make it come.
        self._n_idle_rounds += 1
        if self._n_idle_rounds > _MAX_IDLE_ROUNDS:
            now_s = time.monotonic()
            self._idle_since_s = self._idle_since_s or now_s
            if self._n_blocked and now_s - self._idle_since_s > self._max_idle_s:
                raise DeadlockError(_DEADLOCK.format(self._n_blocked))
            time.sleep(_IDLE_PERIOD_S)
