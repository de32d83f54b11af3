"""Every measurement of a defect along a history, a row a revision: what repeats is said once."""

from __future__ import annotations

import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fixwatch.report.addresses import series_anchor
from fixwatch.verdicts.controls import WORKLOAD

Entry = Mapping[str, Any]

_REPOSITORIES = {
    "numba": "git+https://github.com/numba/numba",
    "numba-cuda": "git+https://github.com/NVIDIA/numba-cuda",
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """A workload or control."""

    workload: str
    role: str
    schedules: tuple[str, ...]
    anchor: str


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A measurement."""

    text: str
    verdict: str
    replay: str = ""  # the schedule that failed


@dataclass(frozen=True, kw_only=True)
class Row:
    """A revision."""

    commit: str
    name: str
    date: str
    has_anchor: bool  # an address that names a commit points to one row of a page
    measured_at: str
    not_run: str = ""  # why it was not; all below is empty then
    cells: tuple[Cell, ...] = ()  # of the workloads, then of the controls
    modes: tuple[tuple[str, int], ...] = ()  # of the workloads' failures
    attributes: tuple[tuple[str, int], ...] = ()
    install: int = 0  # the number of the command that installs what it was measured with
    notes: tuple[int, ...] = ()  # by their numbers


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """All that was measured of a defect along a history, newest first."""

    entry: Entry  # what its series share
    workloads: tuple[Column, ...]
    controls: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    installs: tuple[str, ...]  # commands, from number 1

    @property
    def n_workload_cells(self) -> int:
        """How many of a row's cells are of workloads."""
        return sum(len(column.schedules) for column in self.workloads)

    @property
    def years(self) -> dict[str, str]:
        """The commit of the first row of each year."""
        first: dict[str, str] = {}
        for row in self.rows:
            if row.has_anchor:
                first.setdefault(row.date[:4], row.commit)
        return first


def build_sheet(entries: Sequence[Entry], taken: set[str]) -> Sheet:
    """Return the sheet of series that have the same revisions, of one defect; workloads first.

    The commits that are `taken` have an anchor already; those of the sheet are added.
    """
    columns = [_describe_column(entry) for entry in entries]
    by_commit: dict[str, dict[tuple[str, str | None], Entry]] = defaultdict(dict)
    for entry in entries:
        for item in entry["measurements"]:
            by_commit[item["revision"]["commit"]][entry["workload"], item["schedule"]] = item
    workloads = [column for column in columns if column.role == WORKLOAD]
    notes, installs = _Numbered(), _Numbered()
    rows = []
    for commit, measured in reversed(by_commit.items()):
        rows.append(
            _describe_row(
                entries[0], columns, workloads, measured, notes, installs, commit in taken
            )
        )
        taken.add(commit)
    return Sheet(
        entry=entries[0],
        workloads=tuple(workloads),
        controls=tuple(column for column in columns if column.role != WORKLOAD),
        rows=tuple(rows),
        notes=tuple(notes.texts),
        installs=tuple(installs.texts),
    )


class _Numbered:
    """Texts that are said once and referred to by their numbers, from 1."""

    def __init__(self) -> None:
        self.texts: dict[str, int] = {}

    def find(self, text: str) -> int:
        """Return the number of a text, its own or a new one."""
        return self.texts.setdefault(text, len(self.texts) + 1)


def _describe_column(entry: Entry) -> Column:
    schedules = dict.fromkeys(
        item["schedule"] for item in entry["measurements"] if item["schedule"]
    )
    return Column(
        workload=entry["workload"],
        role=entry["role"],
        schedules=tuple(schedules) or ("not run",),
        anchor=series_anchor(entry),
    )


def _describe_row(
    entry: Entry,
    columns: Iterable[Column],
    workloads: Iterable[Column],
    measured: Mapping[tuple[str, str | None], Entry],
    notes: _Numbered,
    installs: _Numbered,
    is_taken: bool,
) -> Row:
    items = list(measured.values())
    revision = items[0]["revision"]
    reasons = dict.fromkeys(
        item["reason"] for item in items if item["reason"] and item["reason"] != item.get("text")
    )
    row = Row(
        commit=revision["commit"],
        name=revision["name"],
        date=revision["date"],
        has_anchor=not is_taken,
        measured_at=items[0]["measured_at"],
    )
    if all(item["trials"] is None for item in items):
        return replace(row, not_run="; ".join(reasons) or "no reason is known")
    names = {column.workload for column in workloads}
    own = [item for (workload, _), item in measured.items() if workload in names]
    return replace(
        row,
        cells=tuple(
            _describe_cell(measured.get((column.workload, schedule)))
            for column in columns
            for schedule in column.schedules
        ),
        modes=_add_up(item["failures_by_mode"] for item in own),
        attributes=_add_up(item["attributes"] for item in own),
        install=installs.find(describe_install(entry, items[0])),
        notes=tuple(map(notes.find, reasons)),
    )


def _add_up(counts: Iterable[Mapping[str, int]]) -> tuple[tuple[str, int], ...]:
    total: Counter[str] = Counter()
    for found in counts:
        total.update(found)
    return tuple(total.most_common())


def _describe_cell(item: Entry | None) -> Cell:
    if item is None or item["trials"] is None:
        return Cell(text="-", verdict="not-run")
    verdict = item["verdict"]
    if item["schedule"] != "explore":
        return Cell(text=f"{item['failures']}/{item['trials']}", verdict=verdict)
    if replay := item.get("first_failure_schedule"):
        return Cell(text="fails: ", verdict=verdict, replay=replay)
    space = item.get("space")
    if item["failures"] or space is None:
        return Cell(text=f"{item['failures']}/{item['trials']}", verdict=verdict)
    part = "all" if space["exhausted"] else f"{space['run']:,} of"
    return Cell(text=f"0 in {part} {space['schedules']:,}", verdict=verdict)


def describe_install(entry: Entry, item: Entry) -> str:
    """Return the command that installs what a revision was measured with, every word quoted.

    A commit stands in it as ``COMMIT``, so that commits with the same packages share it.
    """
    pins = [f"{name}=={version}" for name, version in item["packages"].items()]
    if entry["source"] == "releases":
        return shlex.join(["pip", "install", *pins])
    upstream = entry["upstream"]
    others = [pin for pin in pins if not pin.startswith(f"{upstream}==")]
    built = f"{upstream} @ {_REPOSITORIES.get(upstream, upstream)}@COMMIT"
    return shlex.join(["pip", "install", *others, built])


def describe_run(entry: Entry) -> str:
    """Return the command that runs a batch of a series again."""
    words = ["python", "-m", "mwe", "--workload", entry["workload"], "--target", entry["target"]]
    return shlex.join(words)
