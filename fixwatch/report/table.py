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


def print_status_table(series: Sequence[Series], console: Console) -> None:
    """Print the answers, then a table of every upstream and workload, controls last."""
    places = {(one.key.machine, one.key.python) for one in series}
    for one in series:
        if one.role == WORKLOAD:
            key = one.key
            place = f" on {key.machine}, Python {key.python}" if len(places) > 1 else ""
            named = name_place(key.upstream, key.target)
            line = f"{named} ({key.source}, {key.workload}{place}): {describe_state(one)}"
            console.print(escape(line), soft_wrap=True)
    console.print()
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("upstream", "source", "target", "workload", "state", "confidence"):
        table.add_column(heading, no_wrap=True)
    if len(places) > 1:
        table.add_column("machine, Python")
    table.add_column("what was measured", overflow="fold")
    ordered = sorted(
        series,
        key=lambda one: (
            one.key.target != SIMULATOR,
            one.key.upstream,
            one.role != WORKLOAD,
            one.key,
        ),
    )
    for one in ordered:
        key, state, is_control = one.key, one.state.state.value, one.role != WORKLOAD
        columns = [escape(f"{key.machine}, {key.python}")] if len(places) > 1 else []
        table.add_row(
            key.upstream,
            key.source,
            key.target,
            key.workload,
            f"control: {state}" if is_control else f"[{_STYLES[state]}]{state}[/]",
            format_confidence(one),
            *columns,
            escape(describe_state(one)),
            style="dim" if is_control else None,
        )
    console.print(table)
