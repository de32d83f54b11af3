"""Schedules as values, each with a short text: which thread goes first, and the forced switches."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import CodeType
from typing import NamedTuple

from mwe.errors import BadArgumentError

_PLAN = re.compile(r"\d{1,4}(,\d{1,4}@\d{1,9}:\d{1,4})*")


class Place(NamedTuple):
    """An instruction, in any process that has the same sources."""

    file: str
    first_line: int
    function: str
    offset: int

    def is_in(self, code: CodeType) -> bool:
        """Whether it stands in this function."""
        return self[:3] == (code.co_filename, code.co_firstlineno, code.co_name)


@dataclass(frozen=True)
class Switch:
    """A forced switch: before thread `thread` passes its point `point`, thread `to` goes on.

    Threads are numbered from 0 in the order in which they start, points from 1 in the order in
    which their thread passes them.
    """

    thread: int
    point: int
    to: int
    # Where that point is, if it can be found without counting points: no other function has that
    # place, and the thread comes there without another one having waited for anything but its turn.
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Plan:
    """One schedule: which thread goes first, and the forced switches in their order.

    Between them a thread runs until it ends or blocks; then the lowest that can goes on.
    """

    first: int = 0
    switches: tuple[Switch, ...] = ()

    def __str__(self) -> str:
        """Return the text that `parse_plan` reads: ``0,0@17:1`` switches at thread 0, point 17."""
        switches = [f",{switch.thread}@{switch.point}:{switch.to}" for switch in self.switches]
        return "".join([str(self.first), *switches])


def parse_plan(text: str) -> Plan:
    """Return the schedule of a text; a `BadArgumentError` says what one looks like."""
    if not _PLAN.fullmatch(text):
        raise BadArgumentError(
            f"{text!r} is no schedule; give what a report names, such as 0,0@17:1,1@5:0"
        )
    first, *switches = text.split(",")
    numbers = [list(map(int, re.split("[@:]", switch))) for switch in switches]
    return Plan(int(first), tuple(Switch(thread, point, to) for thread, point, to in numbers))
