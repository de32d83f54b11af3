"""The one tracking issue on GitHub: found by its marker, opened, commented or reopened by gh."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

from fixwatch.commands.check.issue import MARKER, IssueAction, plan_issue
from fixwatch.errors import FixwatchError
from fixwatch.history.last_look import FoundChange

TITLE = "Upstream's fix status has changed"
TIMEOUT_S = 120.0
# As gh names who writes with a workflow's own token.
AUTHORS = frozenset({"github-actions", "github-actions[bot]", "app/github-actions"})

# Runs gh with arguments and standard input, and returns its output.
RunGh = Callable[[Sequence[str], str], str]


def track(changes: Sequence[FoundChange], run_gh: RunGh) -> IssueAction:
    """Tell what looks have found to have changed and the issue does not say; return what was done.

    A look whose issue could not be written is made up for by the next one.
    """
    issue = find_issue(run_gh)
    own = [issue, *filter(_is_ours, issue["comments"])] if issue else []
    known = "\n".join(text["body"] for text in own)
    action = plan_issue(changes, issue["state"].lower() if issue else None, known)
    if action.kind == "nothing":
        return action
    if issue is None:
        run_gh(["issue", "create", "--title", TITLE, "--body-file", "-"], action.body)
        return action
    number = str(int(issue["number"]))
    if action.kind == "reopen":
        run_gh(["issue", "reopen", number], "")
    run_gh(["issue", "comment", number, "--body-file", "-"], action.body)
    return action


def find_issue(run_gh: RunGh) -> dict[str, Any] | None:
    """Return the oldest issue whose body begins with the marker, open or closed."""
    fields = "number,state,author,body,comments"
    arguments = ["issue", "list", "--state", "all", "--limit", "200", "--json", fields]
    arguments += ["--search", f'"{MARKER[5:-4]}" in:body']
    issues = json.loads(run_gh(arguments, ""))
    own = [issue for issue in issues if _is_ours(issue) and issue["body"].startswith(MARKER)]
    return min(own, key=lambda issue: int(issue["number"]), default=None)


def _is_ours(item: dict[str, Any]) -> bool:
    """Whether an issue or a comment is the workflow's own; anybody can write a marker."""
    return str((item.get("author") or {}).get("login")) in AUTHORS


def run_gh(arguments: Sequence[str], stdin: str) -> str:
    """Run GitHub's command line.

    Raises
    ------
    FixwatchError
        If it is missing or fails.
    """
    try:
        completed = subprocess.run(
            ["gh", *arguments],  # noqa: S607 (gh from PATH, as the runner has it)
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FixwatchError(f"gh cannot be run ({error}); install it, or use --dry-run") from error
    if completed.returncode:
        reason = completed.stderr.strip().splitlines() or ["no reason"]
        raise FixwatchError(f"gh {arguments[0]} {arguments[1]} failed: {reason[-1]}")
    return completed.stdout
