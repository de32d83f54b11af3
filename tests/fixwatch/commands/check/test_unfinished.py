"""What a look is compared with, when the one before it was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixwatch.commands.check.comparison import Recorded
from fixwatch.commands.check.unfinished import begin_look, end_look
from fixwatch.history.last_look import save_look

PATH = Path("recorded.json")


def rows(state):
    """Return what is on record of a defect in that state."""
    return (Recorded(upstream="numba", defect="d", state=state, since=None, newest="0.60.0"),)


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    """Let this process be where no look has been."""
    monkeypatch.chdir(tmp_path)


def test_a_look_after_one_that_was_killed_is_compared_with_what_was_before_both():
    """What the first one measured is on record by then."""
    assert begin_look(rows("fixed"), PATH) == rows("fixed")
    assert begin_look(rows("affected"), PATH) == rows("fixed")


def test_a_look_that_came_to_its_end_leaves_nothing():
    """The next one is compared with what is on record."""
    begin_look(rows("fixed"), PATH)
    end_look(PATH)
    assert not PATH.exists()
    assert begin_look(rows("affected"), PATH) == rows("affected")


def test_what_was_kept_is_worth_nothing_once_another_look_came_to_its_end():
    """It has told what changed, and may be another machine's, whose results were taken over."""
    begin_look(rows("fixed"), PATH)
    save_look(())
    assert begin_look(rows("affected"), PATH) == rows("affected")


@pytest.mark.parametrize("text", ["", "[]", '{"version": 1, "after": null, "recorded": [1]}'])
def test_what_is_damaged_is_kept_anew(text):
    """A look does not fail for it."""
    PATH.write_text(text)
    assert begin_look(rows("affected"), PATH) == rows("affected")
    assert begin_look(rows("fixed"), PATH) == rows("affected")
