"""What the terminal is given of a user's tests."""

from __future__ import annotations

from dataclasses import replace

from fixwatch.commands.mine.findings import RELEASE, Counterfactual, find
from fixwatch.commands.mine.run import MineRun
from fixwatch.commands.mine.runs import TestsRun, UnusablePlace
from fixwatch.commands.mine.summary import render
from tests.fixwatch.commands.mine.test_findings import new_named

HOSTILE = "\x1b[2J\u202e"


def test_no_name_steers_the_terminal():
    """Tests, files and packages are named by whoever wrote them."""
    test = replace(
        new_named(3), test=f"test_{HOSTILE}.py", replay="0,0@1:1", interleaving=[HOSTILE, "b"]
    )
    here = TestsRun(
        version=1,
        root="/",
        tests=[test],
        unusable=[UnusablePlace(where=HOSTILE, what=HOSTILE)],
        status=f"ended: {HOSTILE}",
        plan={},
        packages={HOSTILE: HOSTILE},
        python=f"/bin/{HOSTILE}",
    )
    other = (
        Counterfactual(RELEASE, f"with {HOSTILE}", (), {}, changed=(HOSTILE,)),
        Counterfactual(RELEASE, f"with {HOSTILE}", (), {}, reason=HOSTILE),
    )
    text = "\n".join(render(MineRun(here, other, (find(test, ()),))))
    assert "again: python -m mwe --test" in text
    assert "here: /bin/" in text
    assert not set(HOSTILE[0] + HOSTILE[-1]) & set(text)
