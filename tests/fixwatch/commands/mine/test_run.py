"""How the failing tests are run again where a defect is repaired."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixwatch.commands.mine.run import _repeat
from fixwatch.commands.mine.runs import Wish
from tests.fixwatch.commands.mine.test_findings import new_named

MANY = [new_named(3)] * 9


@pytest.mark.parametrize(
    ("failing", "options", "trials"),
    [
        (MANY, [], "12"),
        (MANY, ["--trials", "70"], "70"),
        (MANY[:1], [], None),
    ],
)
def test_many_failing_tests_are_run_less_often_unless_the_user_says_how_often(
    failing, options, trials
):
    """They stand for one another, and one that was asked for is kept."""
    again = _repeat(Wish(folder=Path(), tests=["test_it.py"], options=options), failing)
    said = dict(zip(again.options[::2], again.options[1::2], strict=True))
    assert said.get("--trials") == trials
    assert len(again.tests) == len(failing)
