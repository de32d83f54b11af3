"""The table of what fails with the shield, from the evidence of asv's runs."""

from __future__ import annotations

from scripts.tabulate_results import tabulate_shielded
from tests.fixwatch.sample_records import (
    new_batch,
    new_exploration,
    new_gap,
    new_record,
    new_shielded,
)


def test_each_release_has_its_failing_trials_and_the_part_of_each_space():
    """In the order of versions; a refused launch is one that the shield did not repair."""
    table = tabulate_shielded(
        [
            new_shielded("0.60.0", new_batch(trials=2000, refusals=3), new_exploration(run=9)),
            new_shielded("0.57.1", new_batch(trials=2000), new_exploration(schedules=1815)),
            new_record("0.58.0", new_batch(failures=90)),
            new_shielded("0.59.0", new_gap("no cuda | <b>")),
            new_shielded("0.61.0", new_batch(trials=2000), new_gap("no | <b>", schedule="explore")),
        ]
    )
    assert table.splitlines() == [
        "| release | local-array, delay | local-array, explore |",
        "|---|---|---|",
        "| numba 0.57.1 | 0 of 2,000 | 0 of 1,815, all |",
        "| numba 0.60.0 | 3 of 2,000 | 0 of 9, a part |",
        "| numba 0.61.0 | 0 of 2,000 | not run: `no \\| <b>` |",
        "",
        "numba 0.59.0 was not run: `no cuda \\| <b>`",
    ]


def test_nothing_measured_is_no_empty_table():
    """But a sentence."""
    assert tabulate_shielded([]) == "No release was measured yet."
