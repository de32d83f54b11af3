"""What is kept of a trial whose threads take turns."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from types import CodeType
from typing import Any, NamedTuple

from mwe.schedules.explore.instructions import Instruction
from mwe.schedules.explore.plans import Place

# Stands for whatever a function of a library does.
UNKNOWN = Instruction("", None)


class Passed(NamedTuple):
    """A point that a thread passed, and the threads that could have gone on instead.

    Attributes
    ----------
    instruction
        What it touches; None where that is nothing that another thread can tell.
    then
        What the thread touched behind this instruction up to its next point, by instructions that
        were visited before; `UNKNOWN` among it for functions of a library.
    place
        See `Switch`.
    """

    thread: int
    point: int
    others: tuple[int, ...]
    instruction: Instruction | None
    then: set[Instruction]
    place: Place | None


class Step(NamedTuple):
    """An instruction that a thread was about to run, for a report."""

    thread: int
    code: CodeType
    line: int
    instruction: Instruction


@dataclass(frozen=True)
class Bindings:
    """A module's globals, and what they were bound to at some time."""

    names: dict[str, Any]
    before: dict[str, Any]

    @classmethod
    def take(cls, names: dict[str, Any]) -> Bindings:
        """Note what is bound now."""
        return cls(names, dict(names))

    def find_changed(self) -> set[str]:
        """Return the names that are bound to something else now, or to nothing."""
        if len(self.names) == len(self.before) and all(
            map(operator.is_, self.names.values(), self.before.values())
        ):
            return set()
        absent = object()
        return {
            name
            for name in self.names.keys() | self.before.keys()
            if self.names.get(name, absent) is not self.before.get(name, absent)
        }
