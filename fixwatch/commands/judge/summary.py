"""A judge's run in words: for the terminal, and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.commands.check.summary import quote_markdown
from fixwatch.commands.judge.document import find_rate
from fixwatch.commands.judge.run import JudgeRun
from fixwatch.report.answer import format_probability
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.working_tree import JudgedTree, TreeVerdict

_RECORD_ONLY = "recorded only"
_STYLES = {
    Verdict.OBSERVED.value: "red",
    Verdict.NOT_OBSERVED.value: "green",
    Verdict.INCONCLUSIVE.value: "yellow",
    Verdict.NOT_RUN.value: "yellow",
    _RECORD_ONLY: "dim",
}
_HEADINGS = ("workload", "schedule", "failed", "rate, 95 %", "verdict")
LIMITS = (
    "A clean result says that this race would have been observed on this machine and Python, "
    "not that there is none."
)
MAX_STATEMENT_CHARACTERS = 700
# Below, digits say nothing any more.
MIN_CHANCE = 1e-16


def list_statements(run: JudgeRun) -> list[str]:
    """Return what the run says, a sentence a line, the verdict first.

    There is upstream's text in it, so it is escaped where it is shown.
    """
    return [_put_in_one_line(statement) for statement in _iter_statements(run)]


def _iter_statements(run: JudgeRun) -> Iterator[str]:
    result, judged = run.result, run.judged
    yield f"{judged.upstream} {judged.label}: {_describe_verdict(result)}"
    yield (
        f"HEAD {judged.head[:8]} of {judged.date:%Y-%m-%d}, tree {judged.tree[:8]}, "
        f"Python {result.record.python}, with {_list_packages(result)}"
    )
    if result.confidence is not None:
        confidence = format_probability(result.confidence)
        if result.verdict is TreeVerdict.NOT_OBSERVED:
            yield (
                f"Chance that this plan detects an unfixed revision: {confidence} "
                f"(reference: {result.reference.description})"
            )
            yield _describe_wrong_fixes(result)
        if result.verdict is TreeVerdict.OBSERVED:
            yield f"Probability that this is not a harness artefact: {confidence}"
    if result.broken_controls:
        yield (
            f"This patch also breaks {', '.join(result.broken_controls)}, "
            "which the original race never affects"
        )
    if run.base is not None and run.base_result is not None:
        yield f"Beside it {run.base.label}: {_describe_verdict(run.base_result)}"
    if run.launch_cost is not None and run.base is not None:
        ratio = run.launch_cost.ratio
        yield (
            f"A launch costs {ratio.median:.2f} times what it does with {run.base.name} "
            f"(95 %: {ratio.low:.2f} to {ratio.high:.2f}, {ratio.n_rounds} rounds)"
            if ratio
            else f"What a launch costs is not known: {run.launch_cost.reason}"
        )


def _describe_verdict(result: JudgedTree) -> str:
    if result.verdict is TreeVerdict.COULD_NOT_MEASURE:
        return f"{_name(result)}, {result.reason or 'no reason is known'}"
    counts = pool_counts(
        measurement.counts
        for measurement in result.measurements
        if measurement.counts and measurement.decides and _is_workload(measurement)
    )
    return f"{_name(result)}, {_format_counts(counts)} trials failed"


def _name(result: JudgedTree) -> str:
    return result.verdict.value.replace("-", " ")


def _is_workload(measurement: Measurement) -> bool:
    return measurement.batch is not None and measurement.batch.role == WORKLOAD


def _describe_wrong_fixes(result: JudgedTree) -> str:
    if not result.chances_of_passing:
        return "Whether a wrong fix would have passed is not known: local-array was not run"
    worst = result.chances_of_passing[0]
    chance = f"{worst.chance:.1g}" if worst.chance >= MIN_CHANCE else f"less than {MIN_CHANCE:.0g}"
    return (
        f"A wrong fix of the {len(result.chances_of_passing)} known kinds would have passed with "
        f"a chance of {chance} (the worst: {worst.variant})"
    )


def _list_packages(result: JudgedTree) -> str:
    packages = result.record.packages
    shown = [
        f"{name} {packages[name]}" for name in ("numba", "llvmlite", "numpy") if name in packages
    ]
    return ", ".join(shown) or "no packages"


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
    verdict, *statements = list_statements(run)
    lines = [f"## Race in the CUDA simulator: {_name(run.result)}", ""]
    lines += [quote_markdown(verdict, MAX_STATEMENT_CHARACTERS), ""]
    lines += [
        f"- {quote_markdown(statement, MAX_STATEMENT_CHARACTERS)}" for statement in statements
    ]
    if run.result.measurements:
        headings = [*_HEADINGS, *([quote_markdown(run.base.name)] if run.base else [])]
        rows = [headings, ["---"] * len(headings), *_iter_rows(run)]
        lines += ["", *(f"| {' | '.join(cells)} |" for cells in rows)]
    if run.result.verdict is TreeVerdict.NOT_OBSERVED:
        lines += ["", LIMITS]
    return "\n".join(lines) + "\n"


def _iter_rows(run: JudgeRun) -> Iterator[list[str]]:
    """Yield the cells of each batch, with the base's counts where there is a base."""
    beside = {
        _place(measurement): _format_counts(measurement.counts)
        for measurement in (run.base_result.measurements if run.base_result else ())
    }
    for measurement in run.result.measurements:
        yield [
            *_place(measurement),
            _format_counts(measurement.counts),
            _format_rate(measurement),
            _format_verdict(measurement),
            *([beside.get(_place(measurement), "not run")] if run.base is not None else []),
        ]


def _place(measurement: Measurement) -> tuple[str, str]:
    batch = measurement.batch
    return (batch.workload, batch.schedule) if batch else ("", "")


def _format_counts(counts: Counts | None) -> str:
    return f"{counts.n_failures} of {counts.n_trials}" if counts else "not run"


def _format_rate(measurement: Measurement) -> str:
    counts = measurement.counts
    if counts is None:
        return ""
    low, high = find_rate(counts)
    return f"{low:.3f} to {high:.3f}" if counts.n_failures else f"at most {high:.3f}"


def _format_verdict(measurement: Measurement) -> str:
    """Return the verdict of a workload's batch; of a control's which kind of control it is."""
    verdict = measurement.judgement.verdict
    if measurement.batch is not None and not _is_workload(measurement):
        return measurement.batch.role
    if verdict is Verdict.INCONCLUSIVE and not measurement.decides:
        return _RECORD_ONLY
    return verdict.value


def _put_in_one_line(text: str) -> str:
    """Return a text in one line that a terminal can do nothing with but show it."""
    line = " ".join(text.split())
    shown = "".join(character if character.isprintable() else "?" for character in line)
    is_short = len(shown) <= MAX_STATEMENT_CHARACTERS
    return shown if is_short else shown[: MAX_STATEMENT_CHARACTERS - 1] + "…"
