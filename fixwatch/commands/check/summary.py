"""The check in words: Markdown for a run's summary, and the text of the tracking issue."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fixwatch.commands.check.comparison import (
    CheckResult,
    Comparison,
    UpstreamComparison,
)
from fixwatch.upstream_texts import make_printable

# How the one tracking issue is found again; its title may be edited by anybody.
MARKER = "<!-- fixwatch: tracking issue -->"
TITLE = "Upstream's fix status has changed"
MAX_CELL = 200


@dataclass(frozen=True, kw_only=True)
class IssueAction:
    """What is to be done with the tracking issue.

    Attributes
    ----------
    kind
        ``open``, ``comment``, ``reopen`` (and comment), or ``nothing``.
    body
        Of the new issue, or of the comment.
    """

    kind: str
    title: str
    body: str


def render_summary(comparison: Comparison) -> str:
    """Return the check as Markdown; upstream's names cannot add markup to it."""
    lines = [f"## Fix status: {comparison.outcome.value}", ""]
    lines += ["| upstream | recorded | now | |", "|---|---|---|---|"]
    for compared in comparison.findings:
        lines.append(_render_row(compared.upstream, compared.old, compared.new, compared.detail))
    lines += ["", "| measured | revision | date | verdict | trials that failed |"]
    lines.append("|---|---|---|---|---|")
    for revision in comparison.checked:
        n_failures, n_trials = revision.n_failures, revision.n_trials
        lines.append(
            _render_row(
                f"{revision.upstream}, {revision.kind}",
                revision.name,
                revision.date[:10],
                revision.verdict.value + (f" ({revision.reason})" if revision.reason else ""),
                f"{n_failures} of {n_trials}" if n_trials else "not run",
            )
        )
    return "\n".join(lines) + "\n"


def _render_row(*cells: str) -> str:
    return f"| {' | '.join(map(quote_markdown, cells))} |"


def plan_issue(comparison: Comparison, existing: str | None, known: str = "") -> IssueAction:
    """Decide what to do with the tracking issue.

    Parameters
    ----------
    comparison
        What the check found.
    existing
        ``open`` or ``closed`` where there is an issue with the marker, None where there is none.
    known
        Its body and comments; what stands there already is not said again.
    """
    changes = [
        compared for compared in comparison.findings if compared.outcome is CheckResult.CHANGED
    ]
    identities = [_identify(change, comparison) for change in changes]
    is_told = existing == "open" and all(identity in known for identity in identities)
    if comparison.outcome is not CheckResult.CHANGED or is_told:
        return IssueAction(kind="nothing", title="", body="")
    lines = [MARKER] if existing is None else []
    lines += identities
    for change in changes:
        lines.append(
            f"**{quote_markdown(change.upstream)}**: {quote_markdown(change.old)} is recorded, "
            f"{quote_markdown(change.new)} was measured ({quote_markdown(change.detail)}). "
            f"The range to scan: {quote_markdown(_describe_range(change, comparison))}."
        )
    lines += ["", render_summary(comparison).rstrip(), ""]
    lines.append(
        "Next: `python -m fixwatch pinpoint` on the range finds the commit; close this issue "
        "once the results are merged. A recurrence reopens it."
    )
    kind = {None: "open", "closed": "reopen"}.get(existing, "comment")
    return IssueAction(kind=kind, title=TITLE, body="\n".join(lines) + "\n")


def quote_markdown(text: str, max_characters: int = MAX_CELL) -> str:
    """Return a text as a code span of one line: nothing in it is a link, a mention or markup.

    A long one is cut, so that no text of upstream's makes an issue too long to be written.
    """
    line = make_printable(" ".join(text.split()))
    line = line if len(line) <= max_characters else line[: max_characters - 1] + "…"
    # A table's cell ends at a bar even within a code span.
    return "`" + line.replace("`", "'").replace("|", "\\|") + "`" if line else ""


def _describe_range(change: UpstreamComparison, comparison: Comparison) -> str:
    """Return the commits between what is recorded and what was measured."""
    newest = [
        revision.commit
        for revision in comparison.checked
        if revision.upstream == change.upstream and revision.kind == "newest commit"
    ]
    return f"{_find_recorded(change, comparison)}..{newest[0] if newest else 'main'}"


def _identify(change: UpstreamComparison, comparison: Comparison) -> str:
    """Return a comment that names a change, the same for every check that finds it."""
    recorded = str(_find_recorded(change, comparison))
    words = "-".join((change.upstream, change.old, change.new, recorded))
    return f"<!-- fixwatch: {re.sub(r'[^A-Za-z0-9.-]', '', words)} -->"


def _find_recorded(change: UpstreamComparison, comparison: Comparison) -> str | None:
    """Return the name of the newest revision that is recorded of an upstream."""
    return next(was.newest for was in comparison.recorded if was.upstream == change.upstream)
