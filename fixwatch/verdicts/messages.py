"""Which lines of a log are a defect's messages."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fixwatch.records.logs import LogLine
from mwe.defects import DEFECTS

# In which a traceback above a message names the function that raised it.
N_LINES_BEFORE = 80
# As Python's own traceback does, and pytest's, which shows the function instead.
_FRAME = re.compile(r"(?:, in|: in|\bdef) (\w+)")


@dataclass(frozen=True)
class FoundDefect:
    """A defect, and the lines that show it."""

    name: str
    lines: list[LogLine] = field(default_factory=list)  # the first one of each place
    notes: list[str] = field(default_factory=list)  # on these lines, a sentence each


@dataclass(frozen=True)
class LogAnswer:
    """What a log shows."""

    n_lines: int  # that were read
    found: list[FoundDefect]  # in the order of `DEFECTS`


def find_messages(lines: Iterable[LogLine]) -> LogAnswer:
    """Return the defects whose messages stand in some lines.

    A place, such as a test of a JUnit file, counts once for a defect, however often it repeats the
    message.
    """
    patterns = [
        (name, message, re.compile(message.pattern))
        for name, defect in DEFECTS.items()
        for message in defect.messages
    ]
    any_pattern = re.compile("|".join(f"(?:{message.pattern})" for _, message, _ in patterns))
    found = {name: FoundDefect(name) for name in DEFECTS}
    places: set[tuple[str, str]] = set()
    before: deque[str] = deque(maxlen=N_LINES_BEFORE)
    section, n_lines = "", 0
    for line in lines:
        n_lines += 1
        if line.section != section:
            section = line.section
            before.clear()
        before.append(line.text)
        if not any_pattern.search(line.text):
            continue
        for name, message, pattern in patterns:
            if (line.place, name) in places or not pattern.search(line.text):
                continue
            if message.function and message.function != _find_function(before):
                continue
            places.add((line.place, name))
            found[name].lines.append(line)
            if message.note and message.note not in found[name].notes:
                found[name].notes.append(message.note)
    return LogAnswer(n_lines, [defect for defect in found.values() if defect.lines])


def _find_function(before: Sequence[str]) -> str | None:
    """Return the function that the last frame of a traceback is in, given the lines up to there."""
    for text in reversed(before):
        if frames := _FRAME.findall(text):
            return str(frames[-1])
    return None
