"""A judge's run in words: for the terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.commands.judge.document import find_rate
from fixwatch.commands.judge.run import JudgeRun
from fixwatch.records.evidence import BatchEvidence
from fixwatch.report.markdown import render
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.explorations import describe_exploration, find_printed
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.working_tree import JudgedTree, TreeVerdict

_RECORD_ONLY = "recorded only"
_NO_PROOF = "no proof"
_STYLES = {
    Verdict.OBSERVED.value: "red",
    Verdict.NOT_OBSERVED.value: "green",
    Verdict.INCONCLUSIVE.value: "yellow",
    Verdict.NOT_RUN.value: "yellow",
    _RECORD_ONLY: "dim",
    _NO_PROOF: "dim",
}
_HEADINGS = ("workload", "schedule", "failed", "rate, 95 %", "verdict")
LIMITS = (
    "A clean result says that this race would have been observed on this machine and Python, "
    "not that there is none. explore proves up to a number of threads and forced switches, at the "
    "granularity of its points, on this Python."
)
MAX_STATEMENT_CHARACTERS = 700


def list_statements(run: JudgeRun) -> list[str]:
    """Return what the run says, a sentence a line, the verdict first.

    There is upstream's text in it, so it is escaped where it is shown.
    """
    text = render(
        "judge.txt.j2",
        run=run,
        count=_count_failures,
        list_explorations=_list_explorations,
        describe_exploration=describe_exploration,
    )
    return [_make_showable(line) for line in text.removesuffix("\n").split("\n")]


def _count_failures(result: JudgedTree) -> str:
    """Return the failures under the schedules that decide, over all workloads."""
    pooled = pool_counts(
        measurement.counts
        for measurement in result.measurements
        if measurement.counts and measurement.decides and _is_workload(measurement)
    )
    return _format_counts(pooled) if pooled else "no"


def _list_explorations(result: JudgedTree) -> list[BatchEvidence]:
    """Return the explorations of workloads."""
    return [
        measurement.batch
        for measurement in result.measurements
        if measurement.batch and measurement.batch.is_exploration and _is_workload(measurement)
    ]


def _is_workload(measurement: Measurement) -> bool:
    return measurement.batch is not None and measurement.batch.role == WORKLOAD


def print_answer(run: JudgeRun, console: Console) -> None:
    """Print the statements and a table of all batches."""
    for statement in list_statements(run):
        console.print(statement, markup=False, highlight=False, soft_wrap=True)
    if not run.result.measurements:
        return
    console.print()
    table = Table(show_edge=False, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True)
    if run.base is not None:
        table.add_column(escape(run.base.name), no_wrap=True)
    for measurement, cells in zip(run.result.measurements, _iter_rows(run), strict=True):
        painted = [f"[{_STYLES[cell]}]{cell}[/]" if cell in _STYLES else cell for cell in cells]
        table.add_row(*painted, style=None if _is_workload(measurement) else "dim")
    console.print(table)
    if run.result.verdict is TreeVerdict.NOT_OBSERVED:
        console.print(f"\n{LIMITS}", soft_wrap=True)


def render_markdown(run: JudgeRun) -> str:
    """Return the run as Markdown; nothing of upstream's can add markup to it."""
    return render(
        "judge.md.j2",
        run=run,
        statements=list_statements(run),
        headings=_HEADINGS,
        rows=list(_iter_rows(run)),
        limits=LIMITS if run.result.verdict is TreeVerdict.NOT_OBSERVED else None,
        max_characters=MAX_STATEMENT_CHARACTERS,
    )


def _iter_rows(run: JudgeRun) -> Iterator[list[str]]:
    """Yield the cells of each batch, with the base's counts where there is a base."""
    beside = {
        _place(measurement): _format_failures(measurement)
        for measurement in (run.base_result.measurements if run.base_result else ())
    }
    for measurement in run.result.measurements:
        yield [
            *_place(measurement),
            _format_failures(measurement),
            _format_rate(measurement),
            _format_verdict(measurement),
            *([beside.get(_place(measurement), "not run")] if run.base is not None else []),
        ]


def _place(measurement: Measurement) -> tuple[str, str]:
    batch = measurement.batch
    return (batch.workload, batch.schedule) if batch else ("", "")


def _format_counts(counts: Counts) -> str:
    return f"{counts.n_failures} of {counts.n_trials}"


def _format_failures(measurement: Measurement) -> str:
    printed = find_printed(measurement.batch) if measurement.batch else None
    if measurement.counts is not None:
        return _format_counts(measurement.counts)
    if printed is None:
        return "not run"
    return "a schedule" if printed.first_failure_schedule else "none"


def _format_rate(measurement: Measurement) -> str:
    counts, batch = measurement.counts, measurement.batch
    if counts is None:
        space = batch.printed.space if batch and batch.printed else None
        if space is None:
            return ""
        n_all = f"{space.schedules:,}"
        return f"all {n_all} run" if space.exhausted else f"{space.run:,} of {n_all} or more run"
    low, high = find_rate(counts)
    return f"{low:.3f} to {high:.3f}" if counts.n_failures else f"at most {high:.3f}"


def _format_verdict(measurement: Measurement) -> str:
    """Return the verdict of a workload's batch; of a control's which kind of control it is."""
    verdict = measurement.judgement.verdict
    if measurement.batch is not None and not _is_workload(measurement):
        return measurement.batch.role
    if verdict is Verdict.INCONCLUSIVE and not measurement.decides:
        is_exploration = measurement.batch is not None and measurement.batch.is_exploration
        return _NO_PROOF if is_exploration else _RECORD_ONLY
    return verdict.value


def _make_showable(line: str) -> str:
    """Return a line, not too long, that a terminal can do nothing with but show it."""
    shown = "".join(character if character.isprintable() else "?" for character in line)
    is_short = len(shown) <= MAX_STATEMENT_CHARACTERS
    return shown if is_short else shown[: MAX_STATEMENT_CHARACTERS - 1] + "…"
