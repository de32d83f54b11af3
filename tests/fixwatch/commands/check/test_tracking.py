"""The tracking issue: what is asked of gh, and what a check's file may say."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from fixwatch.commands.check.comparison import compare
from fixwatch.commands.check.summary import MARKER
from fixwatch.commands.check.tracking import find_issue, load_comparison, run_gh, track
from fixwatch.errors import FixwatchError
from tests.fixwatch.commands.check.test_comparison import (
    BODY,
    CLEAN_CUDA,
    CONTROLS,
    FIXED,
    NEW_NUMBA,
    OLD_NUMBA,
    RECORDED,
    RELAPSED_CUDA,
)


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
    assert track(FIXED, gh).kind == "open"
    assert gh.done == [("create", BODY)]
    assert all(isinstance(argument, str) for arguments, _ in gh.calls for argument in arguments)


def test_the_same_change_is_told_once():
    """A change that stands in the issue's body or in a comment is not told again."""
    assert track(FIXED, gh := Gh(issue(3))).kind == "nothing"
    assert gh.done == []
    relapse = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *RELAPSED_CUDA))
    first = Gh(issue(3))
    comment = track(relapse, first)
    assert [call for call, _ in first.done] == ["comment"]
    assert track(relapse, Gh(issue(3, comments=[comment.body]))).kind == "nothing"


def test_a_recurrence_reopens_the_issue():
    """A closed issue is reopened, with a comment that says what came back."""
    gh = Gh(issue(3, state="CLOSED"))
    assert track(FIXED, gh).kind == "reopen"
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
    relapse = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *RELAPSED_CUDA))
    said = track(relapse, Gh()).body
    foreign = issue(3)
    foreign["comments"] = [{"body": said, "author": stranger}]
    assert track(relapse, Gh(foreign)).kind == "comment"


def test_no_change_writes_nothing():
    """An unchanged check writes neither an issue nor a comment."""
    unchanged = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *CLEAN_CUDA))
    gh = Gh(issue(3))
    assert track(unchanged, gh).kind == "nothing"
    assert gh.done == []


def write(folder, **changes):
    """Write a check's file with real hashes."""
    items = [
        {**asdict(revision), "commit": f"{number:040x}"}
        for number, revision in enumerate((*CONTROLS, *NEW_NUMBA, *CLEAN_CUDA))
    ]
    path = folder / "check.json"
    path.write_text(json.dumps({"version": 2, "checked": items, **changes}))
    return path


def test_the_conclusion_is_drawn_from_the_measurements_alone(tmp_path, monkeypatch):
    """What the file says of the outcome or of the record is not read."""
    monkeypatch.setattr("fixwatch.commands.check.tracking.read_recorded", lambda: list(RECORDED))
    path = write(tmp_path, outcome="unchanged", recorded=[], findings=[])
    comparison = load_comparison(path)
    assert [finding.new for finding in comparison.findings] == ["fixed", "fixed"]


@pytest.mark.parametrize(
    "changes",
    [
        {"checked": [{"upstream": "numba"}]},
        {"checked": "none"},
        {"version": 1},
        {"checked": [{**asdict(NEW_NUMBA[0]), "name": "<script>"}]},
        {"padding": "x" * 600_000},
    ],
)
def test_a_file_that_no_check_wrote_is_refused(tmp_path, changes):
    """A file with other fields, versions, names or sizes is refused in one line."""
    with pytest.raises(FixwatchError) as raised:
        load_comparison(write(tmp_path, **changes))
    assert "\n" not in str(raised.value)


def test_without_gh_it_is_said(monkeypatch):
    """A missing gh is an error in one line, not a traceback."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FixwatchError, match="gh cannot be run"):
        run_gh(["issue", "list"], "")
