"""The check in words: Markdown for a run's summary, and the text of the tracking issue."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fixwatch.commands.check.comparison import (
    CheckResult,
    Comparison,
    Recorded,
    UpstreamComparison,
)
from fixwatch.report.markdown import render

# How the one tracking issue is found again; its title may be edited by anybody.
MARKER = "<!-- fixwatch: tracking issue -->"


@dataclass(frozen=True, kw_only=True)
class IssueAction:
    """What is to be done with the tracking issue."""

    kind: str  # ``open``, ``comment``, ``reopen`` (and comment), or ``nothing``
    body: str  # of the new issue, or of the comment


def render_summary(comparison: Comparison) -> str:
    """Return the check as Markdown; upstream's names cannot add markup to it."""
    return render("check.md.j2", comparison=comparison)


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
    changes = {
        compared: _identify(compared, comparison)
        for compared in comparison.findings
        if compared.outcome is CheckResult.CHANGED
    }
    is_told = existing == "open" and all(identity in known for identity in changes.values())
    if comparison.outcome is not CheckResult.CHANGED or is_told:
        return IssueAction(kind="nothing", body="")
    is_new = existing is None
    body = render(
        "issue.md.j2",
        is_new=is_new,
        marker=MARKER,
        changes=changes,
        comparison=comparison,
        find_recorded=find_recorded,
    )
    kind = {None: "open", "closed": "reopen"}.get(existing, "comment")
    return IssueAction(kind=kind, body=body)


def find_recorded(change: UpstreamComparison, comparison: Comparison) -> Recorded:
    """Return what was known before of the same defect on the same upstream."""
    place = (change.upstream, change.defect)
    return next(was for was in comparison.recorded if (was.upstream, was.defect) == place)


def _identify(change: UpstreamComparison, comparison: Comparison) -> str:
    """Return a comment that names a change, the same for every check that finds it."""
    newest = find_recorded(change, comparison).newest
    words = "-".join((change.upstream, change.defect, change.old, change.new, str(newest)))
    return f"<!-- fixwatch: {re.sub(r'[^A-Za-z0-9.-]', '', words)} -->"
