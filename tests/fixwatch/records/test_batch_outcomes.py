"""What is stored of a planned batch."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from fixwatch.records.batch_outcomes import describe_batch, find_foreign_package
from mwe.planned.plan import PlannedBatch
from tests.fixwatch.sample_records import new_batch

PLANNED = PlannedBatch(
    workload="local-array", role="workload", schedule="delay", target="simulator", n_trials=100
).identity
PRINTED = {
    **asdict(new_batch(failures=5).printed),
    "workload": "local-array",
    "packages": {"numba": "0.58.0"},
    "python": "CPython 3.11.7",
}


def test_a_printed_batch_is_kept_without_what_the_record_says():
    """Counts, seed and details stay; packages and Python stand in the record."""
    kept = describe_batch(PLANNED, {"numba": "0.58.0"}, batch=PRINTED)
    assert kept == new_batch(failures=5)


def test_a_gap_keeps_its_stage_and_reason():
    """A batch that was not run is stored with the stage that failed and the reason."""
    gap = describe_batch(PLANNED, {}, stage="import", reason="no module")
    assert (gap.printed, gap.stage, gap.reason) == (None, "import", "no module")


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
    gap = describe_batch(PLANNED, {"numba": "0.58.0"}, batch={**PRINTED, **changes})
    assert (gap.printed, gap.stage) == (None, "batch")
    assert expected in gap.reason


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
