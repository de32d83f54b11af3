"""Taking turns: the threads of a trial run one at a time, and switch where a plan says.

Exactly one thread has the turn; the others wait in their trace function. Whoever waits also
watches: with a long switch interval a waiting thread gets the interpreter lock only once the
running one has let go of it, so it learns within microseconds that the running one sleeps, and
takes the turn on. What the running one waits with, a lock, a barrier or a pool, makes no
difference.

The launching thread has the lowest rank: it goes on when no other thread can, and gives its turn
away when it only polls. Needs an interpreter lock.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
import time
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

from mwe.schedules.explore.instructions import (
    Instruction,
    find_points,
    has_namesake,
    is_explored,
    name_function,
)
from mwe.schedules.explore.observations import UNKNOWN, Bindings, Passed, Step
from mwe.schedules.explore.plans import Place, Plan, Switch
from mwe.schedules.explore.threads import N_LOOKS, Member, Status

# A thread that waits looks after so long whether the running one sleeps. It takes the interpreter
# lock for that, so shorter is slower on the whole.
_WATCH_PERIOD_S = 100e-6
_SECOND_LOOK_S = 20e-6
# A launch starts its next thread within so many calls of its own; after more of them it polls.
MAX_CALLS_BETWEEN_STARTS = 200
_MAX_IDLE_ROUNDS = 100
_IDLE_PERIOD_S = 1e-3
# Long beside a schedule, so that a thread with the turn is hardly ever interrupted; and no longer,
# because a thread that waits for the interpreter lock may not be woken when it is let go of
# (https://sourceware.org/bugzilla/show_bug.cgi?id=25847) and tries again after so long.
_SWITCH_INTERVAL_S = 0.1


# Since Python 3.13 what one frame does not hear, no other of the same function hears.
_CAN_TURN_DEAF = sys.version_info < (3, 13)
# Nothing else is done before these are called for these instructions.
_METHODS = {"BINARY_SUBSCR": "__getitem__", "STORE_SUBSCR": "__setitem__"}
# Of the caches behind an instruction that calls.
_MAX_CACHE_BYTES = 20


_DEADLOCK = "{} threads wait, and nothing is left to wake them"


def _ask_for_instructions() -> None:
    """Mark a frame: Python 3.12 asks whether any was where tracing begins, and at no later time."""
    sys._getframe().f_trace_opcodes = True


def _hear_instructions(frame: FrameType, trace: Any) -> None:
    # In this order: Python 3.13 takes it from a frame that is traced already.
    frame.f_trace = trace
    frame.f_trace_opcodes = True


class DeadlockError(Exception):
    """Every thread waits for something, and has for longer than any of them should."""


class Turns:
    """The turns of one trial.

    Parameters
    ----------
    plan
        What to do.
    n_explored
        Switches happen among so many threads, the first ones; the others go on when those end.
    bindings
        Of modules' globals before the trial, to be compared with when threads take turns.
    records_points
        Whether the points behind the last switch are kept; without them the rest runs faster.
    records_steps
        Whether each instruction that can be a point is kept, however often it runs.
    max_calls
        How many calls the launching thread makes before its turn is given away: it polls then.
    max_idle_s
        How long all threads may wait for something other than their turn.
    """

    def __init__(
        self,
        plan: Plan,
        n_explored: int,
        *,
        bindings: list[Bindings] | None = None,
        records_points: bool = True,
        records_steps: bool = False,
        max_calls: int = MAX_CALLS_BETWEEN_STARTS,
        max_idle_s: float = 10.0,
    ) -> None:
        self.passed: list[Passed] = []
        self.steps: list[Step] = []
        self.is_possible = True  # whether the plan's threads and points were all found
        self.changed: set[str] = set()  # names of globals that were bound anew
        self.ran: set[CodeType] = set()  # functions that ran while threads took turns
        self.globals: dict[int, dict[str, Any]] = {}  # of the explored functions, by identity
        self._plan = plan
        self._pending = list(reversed(plan.switches))
        self._n_explored = n_explored
        self._bindings = bindings or []
        self._records_points = records_points
        self._records_steps = records_steps
        self._max_calls = max_calls
        self._max_idle_s = max_idle_s
        self._looks_at_points = records_points or records_steps or bool(plan.switches)
        self._members: list[Member] = []
        self._launcher = Member(-1, Status.RUNNING)
        self._running: Member | None = self._launcher
        self._outer_frame: FrameType | None = None
        # Whether switches are found by their places: no point has to be counted then.
        self._is_direct = (
            bool(plan.switches)
            and not (records_points or records_steps)
            and all(switch.place is not None for switch in plan.switches)
        )
        self._n_turns = 0
        self._n_blocked = 0
        self._has_blocked = False
        self._n_calls = 0
        self.max_calls_seen = 0  # of the launching thread, between the starts of two
        self._n_idle_rounds = 0
        self._idle_since_s: float | None = None
        self._is_settling = False
        self._is_over = False
        self._seen: tuple[Any, ...] = ()

    @property
    def n_points(self) -> list[int]:
        """How many points each explored thread has passed."""
        return [member.n_points for member in self._members[: self._n_explored]]

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Take turns with all threads that are started inside."""
        # This generator's, contextlib's, and the one that has the block.
        self._outer_frame = sys._getframe(2)
        traces = sys.gettrace(), threading.gettrace()
        interval, collects = sys.getswitchinterval(), gc.isenabled()
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        # What a collection calls would run in any thread, at any point of it.
        gc.disable()
        _ask_for_instructions()
        threading.settrace(self._trace_first_frame)
        sys.settrace(self._trace_launcher)
        try:
            yield
        finally:
            sys.settrace(traces[0])
            threading.settrace(traces[1])
            sys.setswitchinterval(interval)
            if collects:
                gc.enable()
            self._end_turns()

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
        self.is_possible &= not self._pending
        self._outer_frame = None
        for member in [self._launcher, *self._members]:
            if member.status is Status.WAITING:
                member.wake()
            member.close()

    # Turns. Nothing here lets go of the interpreter lock but _park and _settle, so the rest happens
    # in one go.

    def _choose(self) -> Member | None:
        waiting = [member for member in self._members if member.status is Status.WAITING]
        if not self._n_turns:
            waiting.sort(key=lambda member: member.number != self._plan.first)
        return waiting[0] if waiting else None

    def _give(self, member: Member) -> None:
        if member is not self._launcher:
            if not self._n_turns:
                self.is_possible &= member.number == self._plan.first
                self._note_launcher_frames()
            self._n_turns += 1
        self._running = member
        member.is_awake = False
        member.status = Status.RUNNING
        member.wake()

    def _give_on(self) -> None:
        """Give the turn to the next, from a thread that has ended or blocks."""
        self._running = None
        self._note_changed_globals()
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
        period_s = _WATCH_PERIOD_S
        while not self._is_over:
            if member.lock.acquire(timeout=period_s):
                member.is_awake = True
                return
            running = self._running
            if running is member or running is None:
                n_seen_asleep, period_s = 0, _WATCH_PERIOD_S
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
                n_seen_asleep, period_s, seen = 0, _WATCH_PERIOD_S, running
                continue
            n_seen_asleep += 1
            period_s = _SECOND_LOOK_S
            if n_seen_asleep >= N_LOOKS and not running.starts_a_thread():
                n_seen_asleep, period_s = 0, _WATCH_PERIOD_S
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
        for member in self._members:
            n_seen_asleep = 0
            while member.status is Status.BLOCKED and n_seen_asleep < N_LOOKS:
                if n_seen_asleep != 1:
                    time.sleep(_SECOND_LOOK_S)
                n_seen_asleep = n_seen_asleep + 1 if member.sleeps() else 0
        self._is_settling = False

    # What threads do.

    def _note_changed_globals(self) -> None:
        for bindings in self._bindings:
            self.changed |= bindings.find_changed()

    def _pass_point(self, member: Member, frame: FrameType, instruction: Instruction) -> None:
        """Count a point, and switch where the plan says so."""
        member.n_points += 1
        if self._n_blocked:
            self._settle()
        if self._pending:
            switch = self._pending[-1]
            if (switch.thread, switch.point) != (member.number, member.n_points):
                return
            self._looks_at_points = (
                self._records_points or self._records_steps or len(self._pending) > 1
            )
            self._force_switch(member, frame)
        elif self._records_points:
            member.then = set()
            if member.n_points == 1:
                return
            others = tuple(
                other.number
                for other in self._members[: self._n_explored]
                if other.status is Status.WAITING
            )
            if not self._plan.switches:
                # Later it is enough to look where threads switch: each point is one once.
                self._note_changed_globals()
            if others:
                member.last_offset = frame.f_lasti
                place = Place(*name_function(frame.f_code), frame.f_lasti)
                can_be_found = not (self._has_blocked or has_namesake(frame.f_code))
                self.passed.append(
                    Passed(
                        member.number,
                        member.n_points,
                        others,
                        instruction,
                        member.then,
                        place if can_be_found else None,
                    )
                )

    def _force_switch(self, member: Member, frame: FrameType) -> None:
        """Do the next forced switch, of the thread that has the turn."""
        switch = self._pending.pop()
        other = self._members[switch.to] if switch.to < len(self._members) else None
        if other is None or other.status is not Status.WAITING:
            self.is_possible = False
            return
        self._note_changed_globals()
        if self._is_direct and self._pending:
            self._listen_in_place(self._pending[-1])
        member.status = Status.WAITING
        self._give(other)
        self._park(member, frame)

    def _listen_in_place(self, switch: Switch) -> None:
        """Have a thread's calls traced that it is in already, where it is to switch in one."""
        if switch.thread < len(self._members) and switch.place is not None:
            frame = sys._current_frames().get(self._members[switch.thread].ident)
            while frame is not None:
                if frame.f_trace is not None and switch.place.is_in(frame.f_code):
                    frame.f_trace_opcodes = True
                frame = frame.f_back

    def _note_entry(self, member: Member, frame: FrameType) -> None:
        """Mark the point at which this function was called, if nothing was done before the call."""
        last, caller = self.passed[-1], frame.f_back
        if (
            caller is None
            or member.then
            or (last.thread, last.point) != (member.number, member.n_points)
        ):
            return
        if (
            # An interpreter that calls the function itself, and not by way of C, has moved on.
            caller.f_lasti > member.last_offset >= caller.f_lasti - _MAX_CACHE_BYTES
            or _METHODS.get(last.instruction.operation) == frame.f_code.co_name
        ):
            self.passed[-1] = last._replace(enters_function=True)

    def _end(self, member: Member) -> None:
        member.status = Status.ENDED
        if self._n_explored > 2:
            # Who goes on now is not chosen, before it was.
            member.then.add(UNKNOWN)
        if self._running is member and not self._is_over:
            self._give_on()

    def _note_launcher_frames(self) -> None:
        """Note the functions that the launching thread is in and goes on with during the trial."""
        frame = sys._current_frames().get(self._launcher.ident)
        while frame is not None and frame is not self._outer_frame:
            self.ran.add(frame.f_code)
            frame = frame.f_back

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

    # Trace functions.

    def _trace_launcher(self, frame: FrameType, _event: str, _arg: Any) -> None:
        caller = frame.f_back
        if self._n_turns:
            self.ran.add(frame.f_code)
        # Elsewhere it may hold a lock of the standard library's.
        if caller is not None and not self._is_over and is_explored(caller.f_code.co_filename):
            self._call_of_launcher(frame)

    def _trace_first_frame(self, frame: FrameType, event: str, arg: Any) -> Any:
        member = Member(len(self._members))
        self._members.append(member)
        if member.number:
            self.max_calls_seen = max(self.max_calls_seen, self._n_calls)
        self._n_calls = 0
        make_trace = self._make_direct_trace if self._is_direct else self._make_trace
        trace = make_trace(member)
        sys.settrace(trace)
        trace_explored = trace(frame, event, arg)
        if trace_explored is None and not self._is_over:
            # Of a library's functions, this one alone waits until it is its turn.
            self._arrive(member, frame)

        def trace_root(frame: FrameType, event: str, arg: Any) -> Any:
            if event == "return":
                # The threads' own hook for exceptions may run yet, and takes no turns.
                sys.settrace(None)
                self._end(member)
            elif trace_explored is not None:
                trace_explored(frame, event, arg)
            return trace_root

        return trace_root

    def _make_trace(self, member: Member) -> Any:
        """Return the trace function of one thread."""
        left: dict[CodeType, dict[int, Instruction] | None] = {}
        is_explored_thread = member.number < self._n_explored

        def trace_explored(frame: FrameType, event: str, _arg: Any) -> Any:
            if event == "opcode":
                if self._running is not member and not self._is_over:
                    self._arrive(member, frame)
                points = left[frame.f_code]
                instruction = points.pop(frame.f_lasti, None) if points else None
                if instruction is not None and self._looks_at_points and is_explored_thread:
                    self._pass_point(member, frame, instruction)
                elif self._records_points and instruction is None:
                    again = find_points(frame.f_code).get(frame.f_lasti)
                    if again is not None:
                        member.then.add(again)
                if self._records_steps:
                    self._note_step(member, frame)
                # A loop whose points have all been passed once runs at full speed.
                elif _CAN_TURN_DEAF and not (
                    self._records_points or (points and self._looks_at_points)
                ):
                    frame.f_trace_opcodes = False
            return trace_explored

        def trace_call(frame: FrameType, _event: str, _arg: Any) -> Any:
            code = frame.f_code
            frame.f_trace_lines = False
            try:
                points = left[code]
            except KeyError:
                points = None
                if is_explored(code.co_filename):
                    points = dict(find_points(code))
                    self.globals[id(frame.f_globals)] = frame.f_globals
                left[code] = points
                self.ran.add(code)
            if points is None:
                member.then.add(UNKNOWN)
                return None
            if self._running is not member and not self._is_over:
                self._arrive(member, frame)
            if self.passed:
                self._note_entry(member, frame)
            if self._records_steps or (
                is_explored_thread
                and (self._records_points or (bool(points) and self._looks_at_points))
            ):
                _hear_instructions(frame, trace_explored)
            return trace_explored

        return trace_call

    def _make_direct_trace(self, member: Member) -> Any:
        """Return the trace function of one thread where switches have places."""

        def find_awaited(code: CodeType) -> Place | None:
            """Return where the thread is to switch next, if that is in this function."""
            switch = self._pending[-1] if self._pending else None
            if switch is None or switch.thread != member.number or switch.place is None:
                return None
            return switch.place if switch.place.is_in(code) else None

        def trace_explored(frame: FrameType, event: str, _arg: Any) -> Any:
            if event == "opcode":
                if self._running is not member and not self._is_over:
                    self._arrive(member, frame)
                place = find_awaited(frame.f_code)
                if place is None:
                    frame.f_trace_opcodes = not _CAN_TURN_DEAF
                elif place.offset == frame.f_lasti:
                    self._force_switch(member, frame)
            return trace_explored

        def trace_call(frame: FrameType, _event: str, _arg: Any) -> Any:
            code = frame.f_code
            frame.f_trace_lines = False
            self.ran.add(code)
            if not is_explored(code.co_filename):
                return None
            self.globals[id(frame.f_globals)] = frame.f_globals
            if self._running is not member and not self._is_over:
                self._arrive(member, frame)
            if find_awaited(code) is not None:
                _hear_instructions(frame, trace_explored)
            return trace_explored

        return trace_call

    def _note_step(self, member: Member, frame: FrameType) -> None:
        instruction = find_points(frame.f_code).get(frame.f_lasti)
        if instruction is not None:
            # Instructions that clean up have no line since Python 3.12.
            line = frame.f_lineno or (self.steps[-1].line if self.steps else 0)
            self.steps.append(Step(member.number, frame.f_code, line, instruction))
