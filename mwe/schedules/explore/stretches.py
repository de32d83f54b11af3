"""What the threads of a replayed schedule ran between switches, and how that is shown."""

from __future__ import annotations

import itertools
import linecache
import os
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mwe.schedules.explore.instructions import Instruction
from mwe.schedules.explore.observations import Step

# Of a long stretch, the lines at its ends say where the switches are.
_MAX_LINES = 12
_COLUMN_CHARACTERS = 58
_WRITES = ("STORE_", "DELETE_")


@dataclass(frozen=True)
class Line:
    """A line that a thread ran."""

    file: str
    number: int
    function: str
    source: str
    reads: tuple[str, ...]  # what it names, in the order of its instructions
    writes: tuple[str, ...]


@dataclass(frozen=True)
class Stretch:
    """What a thread ran without another one between."""

    thread: int
    lines: tuple[Line, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)

    @classmethod
    def from_json(cls, printed: dict[str, Any]) -> Stretch:
        """Return what was printed."""
        return cls(printed["thread"], tuple(Line(**line) for line in printed["lines"]))


def find_stretches(steps: Sequence[Step]) -> tuple[Stretch, ...]:
    """Put the steps of a trial together, by thread and by line."""
    found = []
    for thread, own in itertools.groupby(steps, key=lambda step: step.thread):
        lines = [
            _describe_line(list(group))
            for _, group in itertools.groupby(own, key=lambda step: (step.code, step.line))
        ]
        found.append(Stretch(thread, tuple(lines)))
    return tuple(found)


def _describe_line(steps: Sequence[Step]) -> Line:
    code, number = steps[0].code, steps[0].line
    named = [(_name(step.instruction), step.instruction.operation) for step in steps]
    reads = dict.fromkeys(name for name, how in named if name and not how.startswith(_WRITES))
    writes = dict.fromkeys(name for name, how in named if name and how.startswith(_WRITES))
    return Line(
        file=code.co_filename,
        number=number,
        function=code.co_name,
        source=linecache.getline(code.co_filename, number).strip(),
        reads=tuple(reads),
        writes=tuple(writes),
    )


def _name(instruction: Instruction) -> str | None:
    if "SUBSCR" in instruction.operation:
        return "[...]"
    if instruction.name is None:
        return None
    is_attribute = instruction.operation.endswith(("_ATTR", "_METHOD"))
    return f".{instruction.name}" if is_attribute else instruction.name


def render_stretches(stretches: Sequence[Stretch]) -> Iterator[str]:
    """Yield the lines of a report with a column for each thread; time goes down."""
    n_threads = 1 + max((stretch.thread for stretch in stretches), default=0)
    columns = [f"thread {number}" for number in range(n_threads)]
    yield _put_beside(columns)
    yield _put_beside(["-" * _COLUMN_CHARACTERS] * n_threads)
    for stretch in stretches:
        for text in _render_stretch(stretch):
            for part in textwrap.wrap(text, _COLUMN_CHARACTERS, subsequent_indent="    ") or [""]:
                cells = [part if number == stretch.thread else "" for number in range(n_threads)]
                yield _put_beside(cells)


def _render_stretch(stretch: Stretch) -> Iterator[str]:
    lines: list[Line | None] = list(stretch.lines)
    if len(lines) > _MAX_LINES:
        half = _MAX_LINES // 2
        lines = [*lines[:half], None, *lines[-half:]]
    place = None
    for line in lines:
        if line is None:
            yield f"... {len(stretch.lines) - _MAX_LINES} lines ..."
            place = None
            continue
        if (line.file, line.function) != place:
            place = line.file, line.function
            yield f"{os.path.basename(line.file)}, {line.function}:"
        yield f"  {line.number}: {line.source}"
        touched = []
        if line.reads:
            touched.append(f"reads {', '.join(line.reads)}")
        if line.writes:
            touched.append(f"writes {', '.join(line.writes)}")
        if touched:
            yield f"    {'; '.join(touched)}"


def _put_beside(cells: Sequence[str]) -> str:
    return " | ".join(cell.ljust(_COLUMN_CHARACTERS) for cell in cells).rstrip()
