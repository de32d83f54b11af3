"""The status on the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.report.advice import summarise_advice
from fixwatch.report.answer import (
    describe_history,
    describe_places,
    describe_state,
    format_confidence,
)
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.defects import DefectVerdict, find_verdicts
from fixwatch.verdicts.pin_advice import UpstreamReleases
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR, name_place

_STYLES = {
    "affected": "red",
    "fixed": "green",
    "never-observed": "green",
    "inconclusive": "yellow",
    "not-run": "dim",
}


def print_answer(
    verdicts: Sequence[DefectVerdict], advised: Iterable[UpstreamReleases], console: Console
) -> None:
    """Print two lines for each upstream: what is known of it, and which release is free of what.

    What is advised may rest on more results than the verdicts.
    """
    advice = {upstream.upstream: summarise_advice(upstream) for upstream in advised}
    for place, says in describe_places(verdicts).items():
        console.print(f"[bold]{escape(place)}[/]: {escape(says)}", soft_wrap=True, highlight=False)
        if place in advice:
            console.print(f"  {escape(advice[place])}", soft_wrap=True, highlight=False)


def print_status(
    all_series: Sequence[Series],
    advised: Iterable[UpstreamReleases],
    console: Console,
    *,
    shows_workloads: bool = False,
) -> None:
    """Print the answer, then a row for each defect and upstream.

    Where it shows workloads, a table of each of them and of the controls comes after that.
    """
    verdicts = find_verdicts(all_series)
    print_answer(verdicts, advised, console)
    console.print()
    _print_defects(verdicts, console)
    if shows_workloads:
        console.print()
        _print_workloads(all_series, console)


def _print_defects(verdicts: Sequence[DefectVerdict], console: Console) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("defect", "upstream", "state", "confidence"):
        table.add_column(heading, no_wrap=True)
    table.add_column("what was measured", overflow="fold")
    for verdict in verdicts:
        place = name_place(verdict.upstream, verdict.target)
        state, speaker = verdict.state.value, verdict.speaker
        measured = "no workload of it was measured"
        if speaker is not None:
            where = f"{speaker.key.source}, {speaker.key.workload}"
            if len(verdict.histories) > 1:
                where += f", {speaker.key.machine}, Python {speaker.key.python}"
            measured = f"{describe_history(verdict.histories[0])} ({where})"
        table.add_row(
            verdict.defect or "any failure",
            place,
            f"[{_STYLES[state]}]{state}[/]",
            format_confidence(speaker) if speaker else "unknown",
            escape(measured),
        )
    console.print(table)


def _print_workloads(all_series: Sequence[Series], console: Console) -> None:
    places = {(series.key.machine, series.key.python) for series in all_series}
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("defect", "upstream", "source", "target", "workload", "state", "confidence"):
        table.add_column(heading, no_wrap=True)
    if len(places) > 1:
        table.add_column("machine, Python")
    table.add_column("what was measured", overflow="fold")
    ordered = sorted(
        all_series,
        key=lambda series: (
            series.key.target != SIMULATOR,
            series.key.upstream,
            series.role != WORKLOAD,
            series.key,
        ),
    )
    for series in ordered:
        key, state, is_control = series.key, series.state.state.value, series.role != WORKLOAD
        columns = [escape(f"{key.machine}, {key.python}")] if len(places) > 1 else []
        table.add_row(
            series.defect,
            key.upstream,
            key.source,
            key.target,
            key.workload,
            f"control: {state}" if is_control else f"[{_STYLES[state]}]{state}[/]",
            format_confidence(series),
            *columns,
            escape(describe_state(series)),
            style="dim" if is_control else None,
        )
    console.print(table)
