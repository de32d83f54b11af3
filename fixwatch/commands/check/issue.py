"""The text of the tracking issue: the changes that looks have found, each told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixwatch.commands.check.comparison import CheckResult, Comparison
from fixwatch.history.last_look import FoundChange
from fixwatch.report.markdown import render

# How the one tracking issue is found again; its title may be edited by anybody.
MARKER = "<!-- fixwatch: tracking issue -->"
# Characters; upstream's names stand in it.
MAX_DETAIL = 2000


@dataclass(frozen=True, kw_only=True)
class IssueAction:
    """What is to be done with the tracking issue."""

    kind: str  # ``open``, ``comment``, ``reopen`` (and comment), or ``nothing``
    body: str = ""  # of the new issue, or of the comment


def describe_changes(comparison: Comparison, found_at: str) -> tuple[FoundChange, ...]:
    """Return what a comparison found to have changed, as it is kept until it is told."""
    newest = {
        revision.upstream: revision.commit
        for revision in comparison.checked
        if revision.kind == "newest commit"
    }
    return tuple(
        FoundChange(
            found_at=found_at,
            upstream=found.upstream,
            defect=found.defect,
            old=found.old,
            new=found.new,
            detail=found.detail[:MAX_DETAIL],
            recorded_up_to=str(found.recorded_up_to),
            newest=newest.get(found.upstream, "main"),
        )
        for found in comparison.findings
        if found.outcome is CheckResult.CHANGED
    )


def plan_issue(
    changes: Sequence[FoundChange], existing: str | None, known: str = ""
) -> IssueAction:
    """Decide what to do with the tracking issue.

    Parameters
    ----------
    changes
        What looks have found, oldest first.
    existing
        ``open`` or ``closed`` where there is an issue with the marker, None where there is none.
    known
        Its body and comments; what stands there already is not said again.
    """
    identities = {f"<!-- fixwatch: {change.identity} -->": change for change in changes}
    untold = {name: change for name, change in identities.items() if name not in known}
    if not untold:
        return IssueAction(kind="nothing")
    body = render("issue.md.j2", is_new=existing is None, marker=MARKER, changes=untold)
    kind = {None: "open", "closed": "reopen"}.get(existing, "comment")
    return IssueAction(kind=kind, body=body)
