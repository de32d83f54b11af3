"""A finding in words: lines for the terminal, and Markdown for a pull request."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from fixwatch.commands.pinpoint.findings import Finding
from fixwatch.report.markdown import render
from fixwatch.statistics.binomial import Counts, upper_bound
from fixwatch.statistics.search_planning import SearchAnswer
from fixwatch.upstream_texts import make_printable

# Commits in the table, those nearest to the change; all of them are in the JSON.
MAX_ROWS = 16
# Possible places that are named; all of them are in the JSON.
MAX_NAMED = 10


def print_answer(finding: Finding, console: Console, *, shows_commits: bool = False) -> None:
    """Print the answer in one sentence, what it rests on, then each measured commit if asked."""
    text = _render_text(finding)
    console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
    if not shows_commits:
        return
    table = Table(show_edge=False, pad_edge=False)
    for heading in ("commit", "date", "found"):
        table.add_column(heading, no_wrap=True)
    for index in finding.measured:
        commit = finding.commits[index]
        found = finding.observations.describe(index)
        table.add_row(escape(make_printable(commit.name)), commit.date[:10], found)
    for index, gap in sorted(finding.observations.gaps.items()):
        commit, why = finding.commits[index], " ".join(f"{gap.stage}: {gap.reason}".split())
        cells = (commit.name, commit.date[:10], f"not run, {why}")
        table.add_row(*(escape(make_printable(cell)) for cell in cells), style="dim")
    console.print()
    console.print(table)


def _render_text(finding: Finding) -> str:
    observed = finding.observations
    n_failures, n_trials = observed.count_trials()
    return render(
        "pinpoint.txt.j2",
        finding=finding,
        bound=upper_bound(Counts(n_failures, n_trials)) if n_trials else 1,
        max_named=MAX_NAMED,
    )


def state_answer(finding: Finding) -> str:
    """Return the answer in one sentence."""
    return _render_text(finding).partition("\n")[0]


def render_markdown(finding: Finding) -> str:
    """Return a summary fit for a pull request or an issue."""
    observed, place = finding.observations, finding.change.placement
    nearest = sorted(finding.measured, key=lambda index: abs(index - place.at))[:MAX_ROWS]
    doubtful = finding.missing
    if finding.answer is SearchAnswer.NOT_DECIDED:
        doubtful = tuple(finding.commits[index] for index in place.places)
    return render(
        "pinpoint.md.j2",
        finding=finding,
        answer=state_answer(finding),
        shown=[
            (finding.commits[index], observed.describe(index), index) for index in sorted(nearest)
        ],
        doubtful=doubtful,
        max_named=MAX_NAMED,
    )
