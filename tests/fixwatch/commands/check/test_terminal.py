"""A check on the terminal: the answer, then tables."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from fixwatch.commands.check.comparison import compare
from fixwatch.commands.check.terminal import print_answer, state_answer
from tests.fixwatch.commands.check.test_comparison import (
    BROKEN_NUMBA,
    CLEAN_CUDA,
    CONTROLS,
    NEW_NUMBA,
    OLD_NUMBA,
    RECORDED,
    RELAPSED_CUDA,
)

NEW_STATE = "numba cuda-swap is fixed, recorded as affected"


def show(comparison, **options):
    """Return what the terminal shows, styles included."""
    console = Console(file=io.StringIO(), width=200, force_terminal=True)
    print_answer(comparison, console, **options)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("measured", "answer"),
    [
        (OLD_NUMBA + CLEAN_CUDA, "unchanged: 2 of 2 as recorded"),
        (NEW_NUMBA + CLEAN_CUDA, f"changed: {NEW_STATE}; 1 of 2 as recorded"),
        (
            BROKEN_NUMBA + CLEAN_CUDA,
            "could not measure: not known of numba cuda-swap; 1 of 2 as recorded",
        ),
        (
            BROKEN_NUMBA + RELAPSED_CUDA,
            "changed: numba-cuda cuda-swap is affected, recorded as fixed; "
            "not known of numba cuda-swap",
        ),
    ],
)
def test_the_first_line_says_what_has_changed(measured, answer):
    """And what is not known; what is as it was is a number."""
    comparison = compare(RECORDED, (*CONTROLS, *measured))
    assert state_answer(comparison) == answer
    assert show(comparison).splitlines()[0] == answer


def test_without_anything_recorded_the_answer_says_so():
    """Nothing was compared, which is no "unchanged"."""
    assert state_answer(compare((), ())) == "could not measure: nothing is recorded"


def test_revisions_are_shown_if_asked():
    """A row for each defect and upstream comes before."""
    comparison = compare(RECORDED, (*CONTROLS, *OLD_NUMBA, *CLEAN_CUDA))
    short, long = show(comparison), show(comparison, shows_revisions=True)
    assert long.startswith(short)
    assert len(short.splitlines()) == 1 + 1 + 2 + len(RECORDED)
    assert "positive control" not in short
    assert "a schedule failed in local-array" in long


def test_upstreams_texts_steer_no_terminal():
    """A reason is what a build printed."""
    broken = replace(BROKEN_NUMBA[0], reason="[red]evil[/] \x1b[31m\nsecond line")
    comparison = compare(RECORDED, (*CONTROLS, broken, *CLEAN_CUDA))
    shown = show(comparison, shows_revisions=True)
    assert "\x1b[31m" not in shown
    assert "[red]evil[/] \ufffd[31m second line" in shown
