"""A judge's run in words: for the terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.commands.check.summary import quote_markdown
from fixwatch.commands.judge.document import find_rate
from fixwatch.commands.judge.run import JudgeRun
from fixwatch.report.answer import format_probability
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Measurement
from fixwatch.verdicts.working_tree import Answer, Outcome

_WORDS = {
    Outcome.OBSERVED: "observed",
    Outcome.NOT_OBSERVED: "not observed",
    Outcome.COULD_NOT_MEASURE: "could not measure",
}
_RECORD_ONLY = "recorded only"
_STYLES = {
    "observed": "red",
    "not-observed": "green",
    "inconclusive": "yellow",
    "not-run": "yellow",
    _RECORD_ONLY: "dim",
}
LIMITS = (
    "A clean result says that this race would have shown on this machine and Python, "
    "not that there is none."
)
MAX_STATEMENT_CHARACTERS = 700
# Below, digits say nothing any more.
MIN_CHANCE = 1e-16


@dataclass(frozen=True)
class Row:
    """A batch, in words; the base's counts beside it, empty without a base."""

    workload: str
    schedule: str
    role: str
    counts: str
    rate: str
    verdict: str
    base: str


def list_rows(run: JudgeRun) -> list[Row]:
    """Return a row for each batch, workloads before controls."""
    beside = (
        {_way(each): _format_counts(each) for each in run.base_answer.measurements}
        if run.base_answer
        else {}
    )
    return [
        Row(
            workload=_way(each)[0],
            schedule=_way(each)[1],
            role=each.batch.role if each.batch else "",
            counts=_format_counts(each),
            rate=_format_rate(each),
            verdict=_format_verdict(each),
            base=beside.get(_way(each), "not run") if run.base_answer else "",
        )
        for each in run.answer.measurements
    ]


def list_statements(run: JudgeRun) -> list[str]:
    """Return what the run says, a sentence a line, the verdict first.

    There is upstream's text in it, so it is escaped where it is shown.
    """
    return [_line(each) for each in _iter_statements(run)]


def _iter_statements(run: JudgeRun) -> Iterator[str]:
    answer, judged = run.answer, run.judged
    yield f"{judged.upstream} {judged.label}: {_describe_verdict(answer)}"
    yield (
        f"HEAD {judged.head[:8]} of {judged.date:%Y-%m-%d}, tree {judged.tree[:8]}, "
        f"Python {answer.record.python}, with {_list_packages(answer)}"
    )
    if answer.outcome is Outcome.NOT_OBSERVED and answer.confidence is not None:
        yield (
            f"An affected revision would have shown: {format_probability(answer.confidence)} "
            f"(reference: {answer.reference.description})"
        )
        yield _describe_wrong_fixes(answer)
    if answer.outcome is Outcome.OBSERVED and answer.confidence is not None:
        yield f"That is not the harness's own doing: {format_probability(answer.confidence)}"
    if answer.broken_controls:
        yield (
            f"It reaches further than the race as shipped, which leaves alone "
            f"{', '.join(answer.broken_controls)}"
        )
    if run.base is not None and run.base_answer is not None:
        yield f"Beside it {run.base.label}: {_describe_verdict(run.base_answer)}"
    if run.launch_cost is not None and run.base is not None:
        ratio = run.launch_cost.ratio
        yield (
            f"A launch costs {ratio.median:.2f} times what it does with {run.base.name} "
            f"(95 %: {ratio.low:.2f} to {ratio.high:.2f}, {ratio.n_rounds} rounds)"
            if ratio
            else f"What a launch costs is not known: {run.launch_cost.reason}"
        )


def _describe_verdict(answer: Answer) -> str:
    word = _WORDS[answer.outcome]
    if answer.outcome is Outcome.COULD_NOT_MEASURE:
        return f"{word}, {answer.reason or 'no reason is known'}"
    counts = [
        each.counts
        for each in answer.measurements
        if each.counts and each.decides and each.batch and each.batch.role == WORKLOAD
    ]
    n_failures = sum(each.n_failures for each in counts)
    n_trials = sum(each.n_trials for each in counts)
    return f"{word}, {n_failures} of {n_trials} trials failed"


def _describe_wrong_fixes(answer: Answer) -> str:
    if not answer.chances_of_passing:
        return "Whether a wrong fix would have passed is not known: local-array was not run"
    worst = answer.chances_of_passing[0]
    chance = f"{worst.chance:.1g}" if worst.chance >= MIN_CHANCE else f"less than {MIN_CHANCE:.0g}"
    return (
        f"A wrong fix of the {len(answer.chances_of_passing)} known kinds would have passed with "
        f"a chance of {chance} (the worst: {worst.variant})"
    )


def _list_packages(answer: Answer) -> str:
    packages = answer.record.packages
    shown = [
        f"{name} {packages[name]}" for name in ("numba", "llvmlite", "numpy") if name in packages
    ]
    return ", ".join(shown) or "no packages"


def print_answer(run: JudgeRun, console: Console) -> None:
    """Print the statements and a table of all batches."""
    for statement in list_statements(run):
        console.print(statement, markup=False, highlight=False, soft_wrap=True)
    rows = list_rows(run)
    if not rows:
        return
    console.print()
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("workload", "schedule", "failed", "rate, 95 %", "verdict"):
        table.add_column(heading, no_wrap=True)
    if run.base is not None:
        table.add_column(escape(run.base.name), no_wrap=True)
    for row in rows:
        verdict = f"[{_STYLES[row.verdict]}]{row.verdict}[/]"
        table.add_row(
            row.workload,
            row.schedule,
            row.counts,
            row.rate,
            verdict if row.role == WORKLOAD else row.role,
            *([row.base] if run.base is not None else []),
            style=None if row.role == WORKLOAD else "dim",
        )
    console.print(table)
    if run.answer.outcome is Outcome.NOT_OBSERVED:
        console.print(f"\n{LIMITS}", soft_wrap=True)


def render_markdown(run: JudgeRun) -> str:
    """Return the run as Markdown; nothing of upstream's can add markup to it."""
    verdict, *statements = list_statements(run)
    lines = [f"## Race in the CUDA simulator: {_WORDS[run.answer.outcome]}", ""]
    lines += [quote_markdown(verdict, MAX_STATEMENT_CHARACTERS), ""]
    lines += [f"- {quote_markdown(each, MAX_STATEMENT_CHARACTERS)}" for each in statements]
    rows = list_rows(run)
    if rows:
        headings = ["workload", "schedule", "failed", "rate, 95 %", "verdict"]
        if run.base is not None:
            headings.append(quote_markdown(run.base.name))
        lines += ["", _table_row(headings), _table_row(["---"] * len(headings))]
        lines += [_table_row(_cells(row, run)) for row in rows]
    if run.answer.outcome is Outcome.NOT_OBSERVED:
        lines += ["", LIMITS]
    return "\n".join(lines) + "\n"


def _cells(row: Row, run: JudgeRun) -> Sequence[str]:
    cells = [row.workload, row.schedule, row.counts, row.rate]
    cells.append(row.verdict if row.role == WORKLOAD else row.role)
    return [*cells, row.base] if run.base is not None else cells


def _table_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _way(measurement: Measurement) -> tuple[str, str]:
    batch = measurement.batch
    return (batch.workload, batch.schedule) if batch else ("", "")


def _format_counts(measurement: Measurement) -> str:
    counts = measurement.counts
    return f"{counts.n_failures} of {counts.n_trials}" if counts else "not run"


def _format_rate(measurement: Measurement) -> str:
    counts = measurement.counts
    if counts is None:
        return ""
    low, high = find_rate(counts)
    return f"{low:.3f} to {high:.3f}" if counts.n_failures else f"at most {high:.3f}"


def _format_verdict(measurement: Measurement) -> str:
    verdict = measurement.judgement.verdict
    if verdict is Verdict.INCONCLUSIVE and not measurement.decides:
        return _RECORD_ONLY
    return verdict.value


def _line(text: str) -> str:
    """Return a text in one line that a terminal can do nothing with but show it."""
    line = " ".join(text.split())
    shown = "".join(each if each.isprintable() else "?" for each in line)
    is_short = len(shown) <= MAX_STATEMENT_CHARACTERS
    return shown if is_short else shown[: MAX_STATEMENT_CHARACTERS - 1] + "…"
