"""The tracking issue: what is asked of gh, and what a check's file may say."""

from __future__ import annotations

import json

import pytest

from fixwatch.commands.check.comparison import compare
from fixwatch.commands.check.issue import MARKER, describe_changes
from fixwatch.commands.check.tracking import find_issue, run_gh, track
from fixwatch.errors import FixwatchError
from tests.fixwatch.commands.check.test_comparison import (
    BODY,
    CONTROLS,
    FIXED,
    MOMENT,
    OLD_NUMBA,
    RECORDED,
    RELAPSED_CUDA,
)

FOUND = describe_changes(FIXED, MOMENT)
RELAPSE = describe_changes(compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *RELAPSED_CUDA)), MOMENT)


class Gh:
    """Answers like gh with a list of issues, and keeps what it was asked."""

    def __init__(self, *issues):
        self.issues = issues
        self.calls = []

    def __call__(self, arguments, stdin):
        """Return the issues for a list, nothing for anything else."""
        self.calls.append((list(arguments), stdin))
        return json.dumps(self.issues) if arguments[1] == "list" else ""

    @property
    def done(self):
        """What was written, without the search before it."""
        return [(arguments[1], stdin) for arguments, stdin in self.calls[1:]]


def issue(number, state="OPEN", body=BODY, comments=()):
    """Return an issue as gh lists it."""
    ours = {"login": "github-actions"}
    texts = [{"body": text, "author": ours} for text in comments]
    return {"number": number, "state": state, "body": body, "author": ours, "comments": texts}


def test_a_change_opens_an_issue_where_there_is_none():
    """Its text goes through standard input, so that no shell sees it."""
    gh = Gh()
    assert track(FOUND, gh).kind == "open"
    assert gh.done == [("create", BODY)]
    assert all(isinstance(argument, str) for arguments, _ in gh.calls for argument in arguments)


def test_the_same_change_is_told_once():
    """A change that stands in the issue's body or in a comment is not told again."""
    assert track(FOUND, gh := Gh(issue(3))).kind == "nothing"
    assert gh.done == []
    first = Gh(issue(3))
    comment = track(RELAPSE, first)
    assert [call for call, _ in first.done] == ["comment"]
    assert track(RELAPSE, Gh(issue(3, comments=[comment.body]))).kind == "nothing"


def test_a_recurrence_reopens_the_issue():
    """A closed issue is reopened, with a comment that says what came back."""
    gh = Gh(issue(3, state="CLOSED"))
    assert track((*FOUND, *RELAPSE), gh).kind == "reopen"
    assert [call for call, _ in gh.done] == ["reopen", "comment"]
    assert gh.calls[1][0] == ["issue", "reopen", "3"]


def test_only_the_marker_makes_an_issue_the_tracking_issue():
    """A body that only quotes the marker is no tracking issue; of several the oldest is."""
    quoting = issue(1, body=f"see {MARKER}")
    assert find_issue(Gh(quoting, issue(9), issue(5)))["number"] == 5
    assert find_issue(Gh(quoting)) is None


def test_what_somebody_else_wrote_is_neither_the_issue_nor_known():
    """Issues and comments of others are passed over, even with our own words in them."""
    stranger = {"login": "stranger"}
    assert find_issue(Gh({**issue(1), "author": stranger})) is None
    said = track(RELAPSE, Gh()).body
    foreign = issue(3)
    foreign["comments"] = [{"body": said, "author": stranger}]
    assert track(RELAPSE, Gh(foreign)).kind == "comment"


def test_no_change_writes_nothing():
    """Without a change there is neither an issue nor a comment."""
    gh = Gh(issue(3))
    assert track((), gh).kind == "nothing"
    assert gh.done == []


def test_without_gh_it_is_said(monkeypatch):
    """A missing gh is an error in one line, not a traceback."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FixwatchError, match="gh cannot be run"):
        run_gh(["issue", "list"], "")
