"""The check in words: Markdown for a run's summary, and the text of the tracking issue."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fixwatch.commands.check.comparison import Comparison, Finding, Outcome
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
    for finding in comparison.findings:
        lines.append(_render_row(finding.upstream, finding.old, finding.new, finding.detail))
    lines += ["", "| measured | revision | date | verdict | trials that failed |"]
    lines.append("|---|---|---|---|---|")
    for each in comparison.checked:
        lines.append(
            _render_row(
                f"{each.upstream}, {each.kind}",
                each.name,
                each.date[:10],
                each.verdict + (f" ({each.reason})" if each.reason else ""),
                f"{each.n_failures} of {each.n_trials}" if each.n_trials else "not run",
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
    changed = [each for each in comparison.findings if each.outcome is Outcome.CHANGED]
    if comparison.outcome is not Outcome.CHANGED or not changed:
        return IssueAction(kind="nothing", title="", body="")
    identities = [_identify(each, comparison) for each in changed]
    if existing and all(identity in known for identity in identities) and existing == "open":
        return IssueAction(kind="nothing", title="", body="")
    lines = [MARKER] if existing is None else []
    lines += identities
    for each in changed:
        lines.append(
            f"**{quote_markdown(each.upstream)}**: {quote_markdown(each.old)} is recorded, "
            f"{quote_markdown(each.new)} was measured ({quote_markdown(each.detail)}). "
            f"The range to scan: {quote_markdown(_describe_range(each, comparison))}."
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


def _describe_range(finding: Finding, comparison: Comparison) -> str:
    """Return the commits between what is recorded and what was measured."""
    (recorded,) = [each for each in comparison.recorded if each.upstream == finding.upstream]
    newest = [
        each.commit
        for each in comparison.checked
        if each.upstream == finding.upstream and each.kind == "newest commit"
    ]
    return f"{recorded.newest}..{newest[0] if newest else 'main'}"


def _identify(finding: Finding, comparison: Comparison) -> str:
    """Return a comment that names a change, the same for every check that finds it."""
    recorded = next(each for each in comparison.recorded if each.upstream == finding.upstream)
    words = "-".join((finding.upstream, finding.old, finding.new, str(recorded.newest)))
    return f"<!-- fixwatch: {re.sub(r'[^A-Za-z0-9.-]', '', words)} -->"
