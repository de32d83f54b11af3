"""What the plugin adds to asv's results."""

from __future__ import annotations

import json
import math

import pytest

from fixwatch.asv_adapter.results import PLAN_NAME, find_foreign_package, pick_results, read_plan
from fixwatch.records.install_record import AVAILABILITY, BUILD, INSTALL, InstallRecord

PLAN = {"planned": [], "identity": {}}


@pytest.mark.parametrize(
    ("stage", "expected"), [(None, PLAN), (AVAILABILITY, PLAN), (BUILD, {}), (INSTALL, {})]
)
def test_batches_of_an_earlier_try_do_not_enter_a_record_of_a_failed_build(
    tmp_path, stage, expected
):
    """Where nothing could run now, nothing that lies in the spool is of now."""
    (tmp_path / PLAN_NAME).write_text(json.dumps(PLAN))
    record = InstallRecord(commit="c", upstream="u", name="n", date="d", not_run_stage=stage)
    assert read_plan(record, tmp_path) == expected


def test_a_combination_that_a_result_lacks_is_not_applicable():
    """It was no part of the suite then; what failed stays a failure."""
    picked = pick_results([1, None], [["a", "b"]], [["a", "b", "new"]])
    assert picked[:2] == [1, None]
    assert math.isnan(picked[2])
    assert pick_results(None, [["a"]], [["a", "new"]]) == [None, None]


def test_without_a_plan_there_are_no_batches(tmp_path):
    """A suite that died before it planned anything left nothing."""
    record = InstallRecord(commit="c", upstream="u", name="n", date="d")
    assert read_plan(record, tmp_path) == {}


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
