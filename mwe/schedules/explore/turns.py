"""The turns of a trial: switches are forced where a plan says, and what threads do is recorded."""

from __future__ import annotations

import contextlib
import dis
import gc
import sys
import threading
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
from mwe.schedules.explore.operands import Operands
from mwe.schedules.explore.plans import Place, Plan, Switch
from mwe.schedules.explore.threads import Member, Status
from mwe.schedules.explore.turn_taking import MAX_CALLS_BETWEEN_STARTS, TurnTaking
from mwe.schedules.tracing import ask_for_instructions, hear_instructions

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


class Turns(TurnTaking):
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
    max_calls, max_idle_s
        As for `TurnTaking`.
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
        super().__init__(plan.first, max_calls, max_idle_s)
        self.passed: list[Passed] = []
        self.steps: list[Step] = []
        self.is_possible = True  # whether the plan's threads and points were all found
        self.late: set[int] = set()  # threads that were started when another one had had a turn
        self.changed: set[str] = set()  # names of globals that were bound anew
        self.ran: set[CodeType] = set()  # functions that ran while threads took turns
        self.globals: dict[int, dict[str, Any]] = {}  # of the explored functions, by identity
        self._plan = plan
        self._pending = list(reversed(plan.switches))
        self._n_explored = n_explored
        self._bindings = bindings or []
        self._records_points = records_points
        self._records_steps = records_steps
        self._looks_at_points = records_points or records_steps or bool(plan.switches)
        self._outer_frame: FrameType | None = None
        # Whether switches are found by their places: no point has to be counted then.
        self._is_direct = (
            bool(plan.switches)
            and not (records_points or records_steps)
            and all(switch.place is not None for switch in plan.switches)
        )
        self.max_calls_seen = 0  # of the launching thread, between the starts of two

    @property
    def n_started(self) -> int:
        """How many threads were started."""
        return len(self._members)

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
        ask_for_instructions()
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

    def _begin(self, member: Member) -> None:
        """Note the functions that the launching thread is in and goes on with during the trial."""
        self.is_possible &= member.number == self._plan.first
        self._note_functions_of_launcher()

    def _have_explored_ended(self) -> bool:
        """Whether the launching thread is alone with threads that are not explored."""
        explored = self._members[: self._n_explored]
        return all(member.status is Status.ENDED for member in explored)

    def _note_functions_of_launcher(self) -> None:
        frame = sys._current_frames().get(self._launcher.ident)
        while frame is not None and frame is not self._outer_frame:
            self.ran.add(frame.f_code)
            frame = frame.f_back

    def _end_turns(self) -> None:
        self.is_possible &= not self._pending
        self._outer_frame = None
        super()._end_turns()

    def _end(self, member: Member) -> None:
        if self._n_explored > 2:
            # Who goes on now is not chosen, before it was.
            member.then.add(UNKNOWN)
        super()._end(member)

    def _note_end_of_stretch(self) -> None:
        for bindings in self._bindings:
            self.changed |= bindings.find_changed()

    def _pass_point(self, member: Member, frame: FrameType, instruction: Instruction) -> None:
        """Count a point, and switch where the plan says so."""
        member.n_calls, member.polls = 0, False
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
                self._note_end_of_stretch()
            if others:
                member.last_frame, member.last_offset = frame, frame.f_lasti
                can_be_found = not (self._has_blocked or has_namesake(frame.f_code))
                place = Place(*name_function(frame.f_code), frame.f_lasti) if can_be_found else None
                passed = (member.number, member.n_points, others, instruction, member.then, place)
                self.passed.append(Passed(*passed))

    def _force_switch(self, member: Member, frame: FrameType) -> None:
        """Do the next forced switch, of the thread that has the turn."""
        switch = self._pending.pop()
        other = self._members[switch.to] if switch.to < len(self._members) else None
        if other is None or other.status is not Status.WAITING:
            self.is_possible = False
            return
        self._note_end_of_stretch()
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

    def _settle_behind_call(self, member: Member, frame: FrameType) -> None:
        """Have those arrive that the last call woke, before this thread takes what they wait for.

        Whatever lets go of something is called.
        """
        instruction = find_points(frame.f_code).get(frame.f_lasti)
        if member.has_called:
            self._settle()
        member.has_called = instruction is not None and instruction.operation.startswith(
            ("CALL", "WITH_EXCEPT")
        )

    def _follow(self, member: Member, frame: FrameType, *, is_point: bool) -> None:
        """Keep what the instruction that is about to run can touch."""
        operands = member.operands.get(frame)
        if operands is None:
            operands = member.operands[frame] = Operands(frame.f_code)
        instruction = find_points(frame.f_code).get(frame.f_lasti)
        touched = operands.follow(frame, instruction)
        member.own_calls.enters_own_manager = operands.enters_own_manager
        if not is_point:
            if touched is not None:
                member.then.add(touched)
        elif touched is not instruction and self._is_at_recorded_point(member):
            self.passed[-1] = self.passed[-1]._replace(instruction=touched)

    def _is_at_recorded_point(self, member: Member) -> bool:
        last = self.passed[-1] if self.passed else None
        return last is not None and (last.thread, last.point) == (member.number, member.n_points)

    def _note_entry(self, member: Member, frame: FrameType) -> None:
        """Mark the point at which this function was called, if nothing was done before the call."""
        last, caller = self.passed[-1], frame.f_back
        if (
            caller is None
            or caller is not member.last_frame
            or last.instruction is None
            or member.then
            or not self._is_at_recorded_point(member)
            # What follows it has a higher offset, even while it calls by way of C.
            or caller.f_code.co_code[member.last_offset] == dis.EXTENDED_ARG
        ):
            return
        if (
            # An interpreter that calls the function itself, and not by way of C, has moved on.
            caller.f_lasti > member.last_offset >= caller.f_lasti - _MAX_CACHE_BYTES
            or _METHODS.get(last.instruction.operation) == frame.f_code.co_name
        ):
            self.passed[-1] = last._replace(instruction=None)

    def _trace_launcher(self, frame: FrameType, _event: str, _arg: Any) -> None:
        caller = frame.f_back
        if self._n_turns and not self._have_explored_ended():
            self.ran.add(frame.f_code)
        # Elsewhere it may hold a lock of the standard library's.
        if caller is not None and not self._is_over and is_explored(caller.f_code.co_filename):
            self._call_of_launcher(frame)

    def _trace_first_frame(self, frame: FrameType, event: str, arg: Any) -> Any:
        if self._n_turns and len(self._members) < self._n_explored:
            self._note_functions_of_launcher()
        member = Member(len(self._members))
        if self._n_turns:
            self.late.add(member.number)
        member.watches = member.number < self._n_explored
        if self._running is not None:
            self._running.launches = True
            self._running.n_calls, self._running.polls = 0, False
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
                if self._n_blocked:
                    self._settle_behind_call(member, frame)
                points = left[frame.f_code]
                instruction = points.pop(frame.f_lasti, None) if points else None
                if instruction is not None and self._looks_at_points and is_explored_thread:
                    self._pass_point(member, frame, instruction)
                if self._records_points and not self._pending:
                    self._follow(member, frame, is_point=instruction is not None)
                if self._records_steps:
                    self._note_step(member, frame)
                # A loop whose points have all been passed once runs at full speed.
                elif _CAN_TURN_DEAF and not (
                    self._n_blocked or self._records_points or (points and self._looks_at_points)
                ):
                    frame.f_trace_opcodes = False
            elif event == "return":
                member.operands.pop(frame, None)
                if member.last_frame is frame:
                    # What its variables hold ends with it.
                    member.last_frame = None
            return trace_explored

        def trace_call(frame: FrameType, _event: str, _arg: Any) -> Any:
            code = frame.f_code
            if member.launches:
                self._note_call(member, frame)
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
            is_own = member.own_calls.is_own_call(frame)
            if points is None and not is_own:
                member.then.add(UNKNOWN)
                return None
            if self._running is not member and not self._is_over:
                self._arrive(member, frame)
            if self.passed:
                self._note_entry(member, frame)
            if points is None:
                return None
            if self._n_blocked:
                self._settle()
                hear_instructions(frame, trace_explored)
            elif self._records_steps or (
                is_explored_thread
                and (self._records_points or (bool(points) and self._looks_at_points))
            ):
                hear_instructions(frame, trace_explored)
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
                if self._n_blocked:
                    self._settle_behind_call(member, frame)
                place = find_awaited(frame.f_code)
                if place is None:
                    frame.f_trace_opcodes = bool(self._n_blocked) or not _CAN_TURN_DEAF
                elif place.offset == frame.f_lasti:
                    self._force_switch(member, frame)
            return trace_explored

        def trace_call(frame: FrameType, _event: str, _arg: Any) -> Any:
            code = frame.f_code
            if member.launches:
                self._note_call(member, frame)
            frame.f_trace_lines = False
            self.ran.add(code)
            if not is_explored(code.co_filename):
                return None
            self.globals[id(frame.f_globals)] = frame.f_globals
            if self._running is not member and not self._is_over:
                self._arrive(member, frame)
            if self._n_blocked:
                self._settle()
            if self._n_blocked or find_awaited(code) is not None:
                hear_instructions(frame, trace_explored)
            return trace_explored

        return trace_call

    def _note_call(self, member: Member, frame: FrameType) -> None:
        """Count a call of a thread that has started others, which may only poll them."""
        caller = frame.f_back
        # Elsewhere it may hold a lock of the standard library's.
        if (
            caller is not None
            and self._running is member
            and not self._is_over
            and is_explored(caller.f_code.co_filename)
        ):
            self._call_of_member(member, frame)

    def _note_step(self, member: Member, frame: FrameType) -> None:
        instruction = find_points(frame.f_code).get(frame.f_lasti)
        if instruction is not None:
            # Instructions that clean up have no line since Python 3.12.
            line = frame.f_lineno or (self.steps[-1].line if self.steps else 0)
            self.steps.append(Step(member.number, frame.f_code, line, instruction))
