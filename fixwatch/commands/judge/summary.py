"""A judge's run in words: for the terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.commands.judge.document import find_rate
from fixwatch.commands.judge.run import JudgeRun
from fixwatch.report.answer import describe_refusal
from fixwatch.report.markdown import render
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.explorations import (
    count_failures,
    describe_exploration,
    find_printed,
    is_exhausted,
    summarise_explorations,
)
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import FALLBACK_WORKLOAD
from fixwatch.verdicts.working_tree import JudgedDefect, TreeVerdict
from mwe.defects import DEFAULT_WORKLOADS, find_defect

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
    "Not observed says that the defect would have been observed on this machine and Python, "
    "not that there is none. explore proves up to a number of threads and forced switches, at the "
    "granularity of its points, on this Python."
)
MAX_STATEMENT_CHARACTERS = 700


def list_statements(run: JudgeRun) -> list[str]:
    """Return what the run says, a sentence a line, the verdict on each defect first.

    There is upstream's text in it, so it is escaped where it is shown.
    """
    text = render(
        "judge.txt.j2",
        run=run,
        describe=_describe_defect,
        describe_explored=_describe_explored,
        with_wrong_fixes=find_defect(FALLBACK_WORKLOAD).name,
    )
    return [_make_showable(line) for line in text.removesuffix("\n").split("\n")]


def _describe_defect(found: JudgedDefect) -> str:
    """Return what the workloads of a defect found, or why that says nothing."""
    if found.verdict is TreeVerdict.COULD_NOT_MEASURE:
        return f"could not measure, {found.reason or 'no reason is known'}"
    own = list(filter(_is_workload, found.measurements))
    pooled = pool_counts(one.counts for one in own if one.counts and one.decides)
    batches = [one.batch for one in own if one.batch]
    explored = summarise_explorations(batches)
    n_refused = sum(batch.printed.refusals for batch in batches if batch.printed)
    parts = [
        f"{_format_counts(pooled)} trials failed" if pooled else "",
        f"in {n_refused} trials upstream refused {describe_refusal(found.defect)}"
        if n_refused
        else "",
        f"explore: {explored}" if explored else "",
    ]
    return "; ".join(filter(None, parts))


def _describe_explored(found: JudgedDefect) -> str:
    """Return the first schedule of a workload that failed, and how to run it again, if one did.

    Else what was proved of the workload that stands for the defect, if its whole space was run.
    """
    batches = [one.batch for one in found.measurements if one.batch and _is_workload(one)]
    explored = [batch for batch in batches if batch.is_exploration]
    told = [batch for batch in explored if count_failures(batch)] or [
        batch for batch in explored if batch.workload in DEFAULT_WORKLOADS and is_exhausted(batch)
    ]
    return f"explore, {told[0].workload}: {describe_exploration(told[0])}" if told else ""


def _is_workload(measurement: Measurement) -> bool:
    return measurement.batch is not None and measurement.batch.role == WORKLOAD


def print_answer(run: JudgeRun, console: Console, *, shows_batches: bool = False) -> None:
    """Print the statements, then the limits of what was not observed, then the batches if asked."""
    for statement in list_statements(run):
        console.print(statement, markup=False, highlight=False, soft_wrap=True)
    if _is_limited(run):
        console.print(f"\n{LIMITS}", soft_wrap=True)
    if run.result.measurements and shows_batches:
        console.print()
        _print_batches(run, console)


def _print_batches(run: JudgeRun, console: Console) -> None:
    table = Table(show_edge=False, pad_edge=False)
    for heading in _HEADINGS:
        table.add_column(heading, no_wrap=True)
    if run.base is not None:
        table.add_column(escape(run.base.name), no_wrap=True)
    for measurement, cells in zip(run.result.measurements, _iter_rows(run), strict=True):
        painted = [f"[{_STYLES[cell]}]{cell}[/]" if cell in _STYLES else cell for cell in cells]
        table.add_row(*painted, style=None if _is_workload(measurement) else "dim")
    console.print(table)


def render_markdown(run: JudgeRun) -> str:
    """Return the run as Markdown; nothing of upstream's can add markup to it."""
    return render(
        "judge.md.j2",
        run=run,
        statements=list_statements(run),
        headings=_HEADINGS,
        rows=list(_iter_rows(run)),
        limits=LIMITS if _is_limited(run) else None,
        max_characters=MAX_STATEMENT_CHARACTERS,
    )


def _is_limited(run: JudgeRun) -> bool:
    """Whether it says of a defect that it was not observed."""
    return any(found.verdict is TreeVerdict.NOT_OBSERVED for found in run.result.defects)


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
    if not printed.first_failure_schedule:
        return "none"
    return "a schedule" if printed.signature_failures else "a schedule, in another way"


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
