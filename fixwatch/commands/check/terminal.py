"""The check on a terminal: the answer, then tables."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.commands.check.comparison import CheckResult, Comparison
from fixwatch.report.answer import join_names
from fixwatch.upstream_texts import make_printable


def print_answer(
    comparison: Comparison, console: Console, *, shows_revisions: bool = False
) -> None:
    """Print what the check says in one line, a row for each defect and upstream, then the rest.

    That is what was measured of each revision, if it is asked for.
    """
    console.print(escape(state_answer(comparison)), highlight=False, soft_wrap=True)
    console.print()
    _print_table(
        ("upstream", "defect", "recorded", "now", "measured"),
        [
            (found.upstream, found.defect, found.old, found.new, found.detail)
            for found in comparison.findings
        ],
        console,
    )
    if shows_revisions:
        console.print()
        _print_table(
            ("revision", "kind", "date", "defect", "verdict", "trials that failed", "explored"),
            [
                (
                    f"{found.upstream} {found.name}",
                    found.kind,
                    found.date[:10],
                    found.defect,
                    found.verdict.value + (f" ({found.reason})" if found.reason else ""),
                    f"{found.n_failures} of {found.n_trials}" if found.n_trials else "",
                    found.explored,
                )
                for found in comparison.checked
            ],
            console,
        )


def state_answer(comparison: Comparison) -> str:
    """Return what the check says in one line: what has changed, what is not known, and the rest."""
    findings = comparison.findings
    changed = [
        f"{found.upstream} {found.defect} is {found.new}, recorded as {found.old}"
        for found in findings
        if found.outcome is CheckResult.CHANGED
    ]
    unknown = [
        f"{found.upstream} {found.defect}"
        for found in findings
        if found.outcome is CheckResult.COULD_NOT_MEASURE
    ]
    n_unchanged = sum(found.outcome is CheckResult.UNCHANGED for found in findings)
    parts = [
        *changed,
        *([f"not known of {join_names(unknown)}"] if unknown else []),
        *([f"{n_unchanged} of {len(findings)} as recorded"] if n_unchanged else []),
    ]
    return f"{comparison.outcome.value}: {'; '.join(parts) or 'nothing is recorded'}"


def _print_table(headings: Sequence[str], rows: Sequence[Sequence[str]], console: Console) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in headings[:-1]:
        table.add_column(heading, no_wrap=heading != "verdict")
    table.add_column(headings[-1], overflow="fold")
    for row in rows:
        table.add_row(*(escape(make_printable(" ".join(cell.split()))) for cell in row))
    console.print(table)
