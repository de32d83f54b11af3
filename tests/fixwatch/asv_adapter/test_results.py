"""What the plugin adds to asv's results."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from asv.results import Results

from fixwatch.asv_adapter.environments import AsOfVirtualenv
from fixwatch.asv_adapter.results import (
    pick_results,
    read_plan,
    save_with_evidence,
    spool_folder,
)
from fixwatch.records.evidence import evidence_path, load_evidence
from fixwatch.records.install_record import AVAILABILITY, BUILD, INSTALL, InstallRecord
from mwe.planned.client import BatchResult
from mwe.planned.plan import PlannedBatch
from mwe.planned.spool import Spool
from tests.fixwatch.sample_records import DAY, new_batch

PLANNED = PlannedBatch(
    workload="local-array", role="workload", schedule="delay", target="simulator", n_trials=100
)


@pytest.mark.parametrize(
    ("stage", "is_read"), [(None, True), (AVAILABILITY, True), (BUILD, False), (INSTALL, False)]
)
def test_batches_of_an_earlier_try_do_not_enter_a_record_of_a_failed_build(
    tmp_path, stage, is_read
):
    """Where nothing could run now, the spool is from an earlier attempt."""
    Spool(tmp_path, {}, {}).save_plan([PLANNED])
    record = InstallRecord(commit="c", upstream="u", name="n", date="d", not_run_stage=stage)
    assert (read_plan(record, tmp_path) is not None) is is_read


def test_a_combination_that_a_result_lacks_is_not_applicable():
    """A combination that a result lacks is NaN, and one that failed stays None."""
    picked = pick_results([1, None], [["a", "b"]], [["a", "b", "new"]])
    assert picked[:2] == [1, None]
    assert math.isnan(picked[2])
    assert pick_results(None, [["a"]], [["a", "new"]]) == [None, None]


def test_without_a_plan_there_are_no_batches(tmp_path):
    """A suite that died before it planned anything leaves no plan to read."""
    record = InstallRecord(commit="c", upstream="u", name="n", date="d")
    assert read_plan(record, tmp_path) is None


@pytest.fixture
def save(tmp_path, monkeypatch):
    """Return what saves a revision as asv does, from what its benchmarks left in the spool."""
    commit, results_dir = "a" * 40, tmp_path / "results"
    environment = SimpleNamespace(
        name="e",
        path=tmp_path / "e",
        spool_path=tmp_path / "spool",
        source="commits",
        python="3.11",
    )
    monkeypatch.setitem(AsOfVirtualenv.by_name, "e", environment)
    InstallRecord(
        commit=commit, upstream="numba", name="a" * 8, date=DAY, packages={"numba": "0.57.0"}
    ).write(environment.path)
    spool = Spool(spool_folder(environment, commit), {}, {})

    def run(outcome, told_by_asv):
        if "batch" in outcome:
            counts = asdict(outcome["batch"])
            outcome = {"batch": {**counts, "packages": {}, "python": "CPython 3.11.7"}}
        spool.save_plan([PLANNED])
        spool.save(PLANNED, BatchResult(**outcome))
        params = {"machine": "m", "python": "3.11"}
        result = Results(params, {}, commit, 0, "3.11", "e", {"NUMBA_ENABLE_CUDASIM": "1"})
        result._results["track_failures"] = told_by_asv
        result._benchmark_params["track_failures"] = [["'local-array'"], ["'delay'"]]
        result._stats["track_failures"] = None
        save_with_evidence(result, str(results_dir))
        path = results_dir / "m" / "aaaaaaaa-e.json"
        written = json.loads(path.read_text())["results"] if path.exists() else None
        return load_evidence(evidence_path(path)), written

    return run


def test_the_counts_of_asv_are_those_of_the_record(save):
    """What asv's own processes returned is not believed where the spool says something else."""
    record, results = save({"batch": new_batch(failures=90).printed}, [12])
    assert record.batches[0].printed.failures == 90
    assert results["track_failures"][0] == [90]


def test_a_machine_without_a_device_keeps_the_reason_and_no_result(save):
    """The record says why nothing ran, and asv gets no result that would stop a later run."""
    record, results = save({"stage": "device", "reason": "no driver"}, [math.nan])
    assert (record.batches[0].stage, results) == ("device", None)


@pytest.mark.parametrize(
    "less", [{"batch": new_batch(failures=1, trials=50).printed}, {"stage": "batch", "reason": "-"}]
)
def test_a_measurement_is_not_replaced_by_less(save, less):
    """Fewer trials or batches of the same meaning would lose what is known."""
    long = save({"batch": new_batch(failures=90).printed}, [90])
    assert save(less, [1]) == long
    longer = save({"batch": new_batch(failures=95, trials=200).printed}, [95])
    assert longer[1]["track_failures"][0] == [95]
