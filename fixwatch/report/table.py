"""The status table on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.report.answer import describe_state, format_confidence
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR, name_place

_STYLES = {
    "affected": "red",
    "fixed": "green",
    "never-observed": "green",
    "inconclusive": "yellow",
    "not-run": "dim",
}


def print_status_table(all_series: Sequence[Series], console: Console) -> None:
    """Print the answers, then a table of every upstream and workload, controls last."""
    places = {(series.key.machine, series.key.python) for series in all_series}
    for series in all_series:
        if series.role == WORKLOAD:
            key = series.key
            place = f" on {key.machine}, Python {key.python}" if len(places) > 1 else ""
            named = name_place(key.upstream, key.target)
            line = f"{named} ({key.source}, {key.workload}{place}): {describe_state(series)}"
            console.print(escape(line), soft_wrap=True)
    console.print()
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("upstream", "source", "target", "workload", "state", "confidence"):
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
