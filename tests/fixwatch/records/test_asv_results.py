"""What asv's result files say follows from the records beside them."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone
from pathlib import Path

import pytest
from asv.results import Results

from fixwatch.records.asv_results import (
    COUNTS,
    derive_axes,
    derive_result,
    derive_values,
    has_result,
)
from fixwatch.records.evidence import BatchEvidence, evidence_path, load_evidence
from mwe.targets import find_configured_target
from tests.fixwatch.sample_records import new_batch, new_controls, new_record

ROOT = Path(__file__).resolve().parents[3]
# Of the histories of commits; results of releases are each clone's own.
RESULTS = sorted((ROOT / "results").glob("numba*/*/*-*.json"))
AXES = [["'local-array'", "'other'"], ["'delay'"]]


def gap(stage, workload="local-array"):
    """Return a batch that was not run because of a step."""
    return BatchEvidence(
        defect="cuda-swap",
        workload=workload,
        role="workload",
        schedule="delay",
        stage=stage,
        reason="why",
    )


def test_every_committed_result_of_asv_says_what_its_record_says():
    """The values, parameters and versions of asv's files are those derived from the records."""
    assert len(RESULTS) > 200
    for path in RESULTS:
        result, record = json.loads(path.read_text()), load_evidence(evidence_path(path))
        assert result["results"].keys() == COUNTS.keys()
        for benchmark, (values, axes, version, *_) in result["results"].items():
            # NaN is no number and equals nothing; its text does.
            assert repr(derive_values(record, benchmark, axes)) == repr(values), path
            assert (axes, version) == (derive_axes(record), record.measurement_version)


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        (new_batch(failures=90), [90, math.nan]),
        (gap("availability"), [math.nan, math.nan]),
        (gap("device"), [math.nan, math.nan]),
        # A failure, which asv tries again if it is asked to.
        (gap("batch"), [None, math.nan]),
        (gap("import"), [None, math.nan]),
    ],
)
def test_a_gap_that_no_new_try_can_fill_is_not_applicable(batch, expected):
    """What is not planned or cannot be had is NaN; what failed is None."""
    values = derive_values(new_record("0.57.0", batch), "track_failures", AXES)
    assert values == pytest.approx(expected, nan_ok=True)


def test_an_unknown_count_of_early_returns_is_not_applicable():
    """The value of a count that is not known is NaN, neither zero nor a failure of the run."""
    record = new_record("0.57.0", new_batch(failures=90, early_return_failures=None))
    assert math.isnan(derive_values(record, "track_early_return_failures", AXES)[0])


def test_a_revision_without_batches_failed_unless_it_cannot_be_had():
    """A build can be tried again; a wheel that does not exist cannot."""
    failed = new_record("0.57.0", not_run_stage="build", not_run_reason="gcc: not found")
    assert derive_values(failed, "track_failures", AXES) is None
    missing = new_record("0.57.0", not_run_stage="availability", not_run_reason="no wheel")
    assert derive_values(missing, "track_failures", AXES) == pytest.approx(
        [math.nan] * 2, nan_ok=True
    )


def test_a_machine_without_a_device_leaves_asv_no_result():
    """No result is due where every batch lacks a device: asv would never try again."""
    assert not has_result(new_record("0.57.0", gap("device"), gap("device", "other")))
    assert has_result(new_record("0.57.0", gap("device"), new_batch("other")))
    assert has_result(new_record("0.57.0", not_run_stage="build"))


@pytest.mark.parametrize(
    "record",
    [
        new_record("0.57.0", new_batch(failures=90), *new_controls()),
        new_record("0.57.0", new_batch(failures=90), *new_controls(), target="cuda"),
        new_record("0.57.0", new_batch(failures=90), *new_controls(), target="compiler"),
        new_record("0.57.0", not_run_stage="build", not_run_reason="gcc: not found"),
    ],
)
def test_asv_reads_what_was_derived(tmp_path, record):
    """The file is of asv's own format, and asv finds the counts in it."""
    path = tmp_path / "m" / f"{record.commit[:8]}-e.json"
    path.parent.mkdir()
    path.write_text(json.dumps(derive_result(record, {"cpu": "x86_64"})))
    loaded = Results.load(str(path), machine_name="m")
    assert loaded.date == 1000 * datetime(2023, 5, 2, tzinfo=timezone.utc).timestamp()
    assert find_configured_target(loaded.env_vars).value == record.target
    assert loaded.params == {"cpu": "x86_64", "machine": "m", "python": "3.11"}
    axes = [["'local-array'", "'planted-race'", "'same-module'"], ["'delay'"]]
    expected = [batch.printed.failures for batch in record.batches] or [None] * 3
    assert loaded.get_result_value("track_failures", axes) == expected
