"""The calibration plants what it says, compares with it, and reports missed bars."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from scripts.calibrate import (
    KINDS,
    MIN_SIDE,
    RATES,
    examine,
    examine_noisy,
    examine_one,
    plant,
    tabulate_confidence,
    tabulate_noise,
    tabulate_rates,
)
from scripts.tables import make_parser, report_missed


@pytest.mark.parametrize(("kinds", "starts_affected"), KINDS)
def test_failures_are_planted_where_the_history_is_affected_and_nowhere_else(
    kinds, starts_affected
):
    """At rate 1 failures begin and end at the planted changes, away from both ends and gaps."""
    for seed in range(20):
        planted = plant(kinds, starts_affected, 1.0, [seed])
        is_affected = planted.failures > 0
        measured = np.flatnonzero(planted.trials)
        flips = [
            int(at)
            for before, at in itertools.pairwise(measured)
            if is_affected[before] != is_affected[at]
        ]
        assert bool(is_affected[measured[0]]) is starts_affected
        assert list(planted.changes) == list(kinds)
        assert flips == list(planted.changes.values())
        for place in flips:
            assert (measured < place).sum() >= MIN_SIDE
            assert (measured >= place).sum() >= MIN_SIDE


def test_a_statement_that_contradicts_the_truth_is_counted_as_false():
    """Telling the script another truth than the counts show makes the statement a false one."""
    planted = plant(("fixed",), True, 1.0, [2])
    assert not examine(planted).is_false
    assert examine(planted).n_placed == 1
    lied_to = dataclasses.replace(planted, changes={}, is_affected_at_end=True)
    assert examine(lied_to).is_false
    assert examine(lied_to).is_false_fix
    moved = dataclasses.replace(planted, changes={"fixed": planted.changes["fixed"] + 2})
    assert (examine(moved).n_found, examine(moved).n_placed) == (1, 0)


def test_of_a_hundred_histories_none_is_misjudged():
    """Nothing false is stated, and every change of a rate of one in ten or more is found."""
    # The true error is far below 1 %, see docs/measurements.md; the seed is fixed.
    results = [examine_one(number) for number in range(5 * len(RATES) * 3)]
    assert not any(result.is_false or result.is_false_fix for result in results)
    for result in results:
        if result.planted.rate >= 0.1:
            assert result.n_found == result.n_placed == len(result.planted.changes)
    rows, _ = tabulate_rates(results)
    assert [row[:3] for row in rows] == [[rate, "0 of 15", "0 of 6"] for rate in RATES]


@pytest.mark.parametrize(
    ("rate", "changes", "is_missed"),
    [
        (0.005, {"is_false": True}, True),
        (0.005, {"is_false_fix": True}, True),
        (0.05, {"n_placed": 0}, True),
        # So rare that nobody is promised the place.
        (0.005, {"n_placed": 0}, False),
    ],
)
def test_each_bar_of_a_rate_can_be_missed(rate, changes, is_missed):
    """Histories that are said to be judged otherwise than they were miss the bar of their rate."""
    first = RATES.index(rate) * len(KINDS)
    results = [
        dataclasses.replace(examine_one(number), **changes)
        for number in range(first, first + len(KINDS))
    ]
    _, missed = tabulate_rates(results)
    assert [line.partition(",")[0] for line in missed] == [f"{rate}"] * is_missed


def test_a_confidence_that_promises_too_much_misses_its_bar():
    """One of two that are stated with 95 % is too few."""
    right, wrong = (
        dataclasses.replace(examine_one(0), stated=[(0.95, is_right)]) for is_right in (True, False)
    )
    assert tabulate_confidence([right])[1] == []
    (line,) = tabulate_confidence([right, wrong])[1]
    assert line.endswith("0.500 for 0.950")


def test_a_missed_bar_fails_the_script_at_its_full_size_only(capsys):
    """Histories whose truth was changed miss the bars, which --quick is too small to judge."""
    results = [
        dataclasses.replace(examine_one(number), is_false=True) for number in range(len(KINDS))
    ]
    _, missed = tabulate_rates(results)
    assert [line.partition(",")[0] for line in missed] == ["0.005"]
    assert report_missed(missed, make_parser("").parse_args([])) == 1
    assert "missed: 0.005, 5 of 5" in capsys.readouterr().err
    assert report_missed(missed, make_parser("").parse_args(["--quick"])) == 0


@pytest.mark.parametrize(
    ("changes", "is_missed"),
    [({}, False), ({"is_false": True}, True), ({"is_false_fix": True}, True)],
)
def test_each_bar_of_a_noisy_cell_can_be_missed(changes, is_missed):
    """Histories that are said to be judged otherwise than they were miss the bar of their cell."""
    results = [dataclasses.replace(examine_noisy(number), **changes) for number in range(5)]
    _, missed = tabulate_noise(results)
    assert [line.partition(",")[0] for line in missed] == ["over-dispersion 0.01"] * is_missed


def test_sure_statements_that_are_false_miss_their_bar():
    """One of two above 0.999 is too few."""
    result = dataclasses.replace(examine_noisy(0), stated=[(0.9999, True), (0.9999, False)])
    (line,) = tabulate_noise([result])[1]
    assert line == "stated above 0.999: 1 of 2 true"
