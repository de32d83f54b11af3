"""What the plugin adds to asv's results."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from types import SimpleNamespace

import pytest
from asv import runner
from asv.benchmarks import Benchmarks
from asv.results import Results

from fixwatch.asv_adapter.environments import AsOfVirtualenv
from fixwatch.asv_adapter.results import (
    pick_results,
    read_benchmark,
    read_plan,
    save_with_evidence,
    spool_folder,
)
from fixwatch.records.evidence import (
    UnreadableEvidenceError,
    evidence_path,
    load_evidence,
    save_evidence,
)
from fixwatch.records.install_record import AVAILABILITY, BUILD, INSTALL, InstallRecord
from mwe.planned.client import BatchResult
from mwe.planned.plan import PlannedBatch
from mwe.planned.spool import Spool
from tests.fixwatch.sample_records import DAY, new_batch

COMMIT = "a" * 40
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
def environment(tmp_path, monkeypatch):
    """Return an environment that holds a revision, as asv knows it."""
    environment = SimpleNamespace(
        name="e",
        path=tmp_path / "e",
        spool_path=tmp_path / "spool",
        source="commits",
        python="3.11",
        env_vars={"NUMBA_ENABLE_CUDASIM": "1"},
        installed_commit_hash=COMMIT,
    )
    monkeypatch.setitem(AsOfVirtualenv.by_name, "e", environment)
    InstallRecord(
        commit=COMMIT, upstream="numba", name="a" * 8, date=DAY, packages={"numba": "0.57.0"}
    ).write(environment.path)
    return environment


@pytest.fixture
def save(tmp_path, environment):
    """Return what saves a revision as asv does, from what its benchmarks left in the spool.

    That is a plan and the fields of a `BatchResult`, or nothing.
    """
    results_dir = tmp_path / "results"
    spool = Spool(spool_folder(environment, COMMIT), {}, {})

    def run(outcome, told_by_asv, simulated="1"):
        environment.env_vars = {"NUMBA_ENABLE_CUDASIM": simulated}
        if outcome is not None:
            if "batch" in outcome:
                counts = asdict(outcome["batch"])
                outcome = {"batch": {**counts, "packages": {}, "python": "CPython 3.11.7"}}
            spool.save_plan([PLANNED])
            spool.save(PLANNED, BatchResult(**outcome))
        params = {"machine": "m", "python": "3.11"}
        variables = {"NUMBA_ENABLE_CUDASIM": simulated}
        result = Results(params, {}, COMMIT, 0, "3.11", "e", variables)
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
    outcome = {"stage": "device", "reason": "no driver"}
    record, results = save(outcome, [math.nan], simulated="0")
    assert (record.target, record.batches[0].stage, results) == ("cuda", "device", None)


def test_a_suite_that_died_is_the_reason_of_what_is_missing(save):
    """It is that of the batches that are planned, or of the revision before there is a plan."""
    reason = "the benchmarks did not run: no output"
    record, _ = save(None, None)
    assert (record.not_run_stage, record.not_run_reason) == ("batch", reason)
    record, _ = save({}, None)
    assert (record.not_run_reason, record.batches[0].reason) == (None, reason)


def test_what_another_revision_left_is_not_recorded(save, tmp_path):
    """The environment still holds what was installed before: there is nothing to say."""
    other = InstallRecord(commit="b" * 40, upstream="numba", name="b" * 8, date=DAY)
    other.write(tmp_path / "e")
    with pytest.raises(UnreadableEvidenceError, match="No such file"):
        save({"batch": new_batch(failures=90).printed}, [90])


def test_finished_batches_are_kept_until_none_is_missing(save, tmp_path):
    """The next run of the revision takes them from the spool."""
    save({"stage": "batch", "reason": "-"}, None)
    assert (tmp_path / "spool" / COMMIT).exists()
    save({"batch": new_batch(failures=90).printed}, [90])
    assert not (tmp_path / "spool" / COMMIT).exists()


@pytest.mark.parametrize(
    "less", [{"batch": new_batch(failures=1, trials=50).printed}, {"stage": "batch", "reason": "-"}]
)
def test_a_measurement_is_not_replaced_by_less(save, less):
    """Fewer trials or batches of the same meaning would lose what is known."""
    long = save({"batch": new_batch(failures=90).printed}, [90])
    assert save(less, [1]) == long
    longer = save({"batch": new_batch(failures=95, trials=200).printed}, [95])
    assert longer[1]["track_failures"][0] == [95]


def test_counts_of_another_meaning_are_replaced_by_fewer(save, tmp_path):
    """More trials that mean something else are no reason to keep them."""
    old, _ = save({"batch": new_batch(failures=95, trials=200).printed}, [95])
    path = tmp_path / "results" / "m" / "aaaaaaaa-e.evidence"
    save_evidence(replace(old, measurement_version="1"), path)
    new, _ = save({"batch": new_batch(failures=90).printed}, [90])
    assert (new.batches[0].printed.trials, new.measurement_version) == (100, "3")


def read(environment, name="track_failures", profile=False):
    """Return what asv gets of a benchmark with two workloads, of which one is planned."""
    params = [["'local-array'", "'other'"], ["'delay'"]]
    benchmark = {"name": name, "params": params, "timeout": 1}
    return read_benchmark(benchmark, SimpleNamespace(env=environment), profile).result


def test_asv_reads_the_counts_without_a_process(environment):
    """They are what its processes would have read from the same batches."""
    spool = Spool(spool_folder(environment, COMMIT), {}, {})
    spool.save_plan([PLANNED])
    counts = {**asdict(new_batch(failures=90).printed), "packages": {}, "python": "CPython 3.11.7"}
    spool.save(PLANNED, BatchResult(batch=counts))
    assert (read(environment)[0], read(environment, "track_trials")[0]) == (90, 100)
    assert math.isnan(read(environment)[1])


def test_a_revision_without_batches_has_failed_in_each_place(environment):
    """asv takes that for a failure, and tries it again if it is asked to."""
    assert read(environment) == [None, None]


def test_other_benchmarks_run_as_asv_runs_them(environment):
    """Only the counts of batches are read: a profile needs a process, and so do others' numbers."""
    for changes in ({"name": "time_something"}, {"profile": True}):
        with pytest.raises(AttributeError, match="no attribute 'run'"):
            read(environment, **changes)


def test_asvs_runner_starts_no_process_for_what_is_counted(environment, monkeypatch, tmp_path):
    """Its loop over benchmarks gets the counts; a process would be a call of the environment."""
    spool = Spool(spool_folder(environment, COMMIT), {}, {})

    def set_up_cache(_spawner, *_):
        spool.save_plan([PLANNED])
        batch = new_batch(failures=90).printed
        counts = {**asdict(batch), "packages": {}, "python": "CPython 3.11.7"}
        spool.save(PLANNED, BatchResult(batch=counts))
        return str(tmp_path / "cache"), None

    monkeypatch.setattr(runner.Spawner, "create_setup_cache", set_up_cache)
    monkeypatch.setattr(runner, "run_benchmark", read_benchmark)
    axes = [["'local-array'"], ["'delay'"]]
    suite = Benchmarks.__new__(Benchmarks)
    suite._benchmark_dir, suite._benchmark_selection = str(tmp_path), {}
    for name in ("track_failures", "track_trials"):
        suite[name] = {
            "name": name,
            "params": axes,
            "timeout": 1,
            "version": "3",
            "setup_cache_key": "key",
            "type": "track",
            "unit": "trials",
            "param_names": ["workload", "schedule"],
        }
    result = Results({"machine": "m", "python": "3.11"}, {}, COMMIT, 0, "3.11", "e", {})
    runner.run_benchmarks(suite, environment, results=result, launch_method="spawn")
    found = {name: result.get_result_value(name, axes) for name in suite}
    assert found == {"track_failures": [90], "track_trials": [100]}
    assert set(result.errcode.values()) <= {0}
