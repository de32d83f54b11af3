"""What a log shows, in words: the defect, who has it, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fixwatch.report.answer import join_names
from fixwatch.upstream_texts import make_printable
from fixwatch.verdicts.messages import FoundDefect, LogAnswer
from fixwatch.verdicts.targets import SIMULATOR
from mwe.defects import DEFECTS, Defect

MAX_LINES = 5
MAX_LINE_CHARACTERS = 200
NOT_MEASURED = "Not known here: no results on this disk say so; make dashboard measures releases."
SHIELD = (
    "Or repair the simulator while your tests run: copy mwe/shield/cudasim_shield.py into your "
    "project, and run python -m pytest -p cudasim_shield (docs/shield.md)."
)


def explain(path: Path, answer: LogAnswer, advice: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the lines of the answer; `advice` has by defect which releases have it."""
    if not answer.found:
        return _say_nothing_matches(path, answer.n_lines)
    lines = []
    for found in answer.found:
        lines += [*_describe(found, advice.get(found.name, ())), ""]
    return lines[:-1]


def _say_nothing_matches(path: Path, n_lines: int) -> list[str]:
    silent = [
        name for name, defect in DEFECTS.items() if not defect.messages and _is_of_simulator(defect)
    ]
    with_message = [name for name, defect in DEFECTS.items() if defect.messages]
    return [
        f"{make_printable(str(path))}: none of its {n_lines:,} lines is a message of "
        f"{join_names(with_message)}.",
        f"{join_names(silent)} have none: they show as wrong numbers. Of a test that fails now and "
        "then in the simulator, python -m fixwatch mine TEST says whether it meets one.",
    ]


def _describe(found: FoundDefect, advice: Iterable[str]) -> list[str]:
    defect = DEFECTS[found.name]
    n_lines = len(found.lines)
    shown = [
        f"  {make_printable(line.place)}: {_shorten(line.text)}" for line in found.lines[:MAX_LINES]
    ]
    if n_lines > MAX_LINES:
        shown.append(f"  and {n_lines - MAX_LINES} more")
    return [
        f"{found.name}: {n_lines} {'place shows' if n_lines == 1 else 'places show'} it",
        *shown,
        *(f"  {note}" for note in found.notes),
        f"What it is: {defect.summary}",
        "Which releases have it:",
        *(f"  {text}" for text in list(advice) or [NOT_MEASURED]),
        "What to do, where no release without it will do:",
        *(f"  {remedy}" for remedy in defect.remedies),
        *([f"  {SHIELD}"] if _is_of_simulator(defect) else []),
    ]


def _is_of_simulator(defect: Defect) -> bool:
    return any(target.value == SIMULATOR for target in defect.targets)


def _shorten(text: str) -> str:
    printable = make_printable(" ".join(text.split()))
    return printable[:MAX_LINE_CHARACTERS] + "..." * (len(printable) > MAX_LINE_CHARACTERS)
