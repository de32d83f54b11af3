"""What is stored of a planned batch."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from fixwatch.records.batch_outcomes import find_foreign_package, take_outcome
from tests.fixwatch.sample_records import new_batch

COUNTS = new_batch(failures=5).printed
PRINTED = {
    **asdict(COUNTS),
    "workload": "local-array",
    "packages": {"numba": "0.58.0"},
    "python": "CPython 3.11.7",
}


def test_a_printed_batch_is_kept_without_what_the_record_says():
    """Counts, seed and details stay; packages and Python stand in the record."""
    assert take_outcome(PRINTED, None, None, {"numba": "0.58.0"}) == (COUNTS, None, None)


def test_a_gap_keeps_its_stage_and_reason():
    """Why there is no batch is all that is known of it."""
    assert take_outcome(None, "import", "no module", {}) == (None, "import", "no module")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"packages": {"numba": "0.59.0"}}, "ran with numba 0.59.0, resolved was 0.58.0"),
        ({"trials": 3}, "5 failures of 3 trials"),
        ({"failures_by_mode": {"nonsense": 5}}, "printed something else than a batch"),
        ({"packages": None}, "printed something else than a batch"),
    ],
)
def test_what_is_no_batch_of_the_revision_becomes_a_gap(changes, expected):
    """Upstream's code ran in the process that printed it, so it may be anything."""
    printed, stage, reason = take_outcome({**PRINTED, **changes}, None, None, {"numba": "0.58.0"})
    assert (printed, stage) == (None, "batch")
    assert expected in reason


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"numba": "0.58.0", "numpy": "1.26.4"}, None),
        # The same version, spelled as setuptools and as the wheel's name spell it.
        ({"numba": "0.58.0"}, None),
        ({"numba": "0.59.0"}, "ran with numba 0.59.0, resolved was 0.58"),
        ({"numba": "0.58.0", "cuda-core": "0.3.2"}, "ran with cuda-core 0.3.2, resolved was none"),
    ],
)
def test_a_batch_that_ran_with_other_packages_is_found_out(found, expected):
    """A newer commit's package that lingers makes the batch count for nothing."""
    resolved = {"numba": "0.58", "numpy": "1.26.4", "packaging": "24.0"}
    assert find_foreign_package(found, resolved) == expected
