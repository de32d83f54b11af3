"""The batches that asv asks for by environment variables, run in real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib

import pytest

from benchmarks.batches import ROOT, list_parameters, measure_batches

COMMIT = "c0ffee"
KEY = ("planted-race", "handoff")


@pytest.fixture
def environment(tmp_path):
    """Return the variables under which asv runs the positive control of a revision."""
    (tmp_path / "env").mkdir()
    install(tmp_path, packages={"numpy": "1.0"})
    return {
        "ASV_COMMIT": COMMIT,
        "ASV_ENV_NAME": "env",
        "ASV_ENV_DIR": str(tmp_path / "env"),
        "ASV_FIXWATCH_SPOOL_DIR": str(tmp_path / "spool"),
        "ASV_FIXWATCH_WORKLOADS": "planted-race",
    }


def install(folder, **fields):
    """Leave what an installation leaves."""
    record = {"commit": COMMIT, "build_packages": {"wheel": "0.1"}, **fields}
    (folder / "env" / "fixwatch-install.json").write_text(json.dumps(record))


def read_spool(folder):
    """Return what the spool of the revision holds by file name."""
    return {
        path.name: json.loads(path.read_text())
        for path in (folder / "spool" / COMMIT / "env").iterdir()
    }


def test_a_configuration_may_ask_for_more_trials_of_what_shows_a_defect(environment, tmp_path):
    """Under the schedules that decide; controls and what is only recorded have as many as ever."""
    (tmp_path / "env" / "fixwatch-install.json").write_text(
        json.dumps({"commit": COMMIT, "not_run_stage": "install", "not_run_reason": "none"})
    )
    environment["ASV_FIXWATCH_WORKLOADS"] = "local-array,planted-race"
    before = read_planned(environment, tmp_path)
    environment["ASV_FIXWATCH_TRIALS"] = "2000"
    after = read_planned(environment, tmp_path)
    deciding = {("local-array", "delay"): 2000, ("local-array", "handoff"): 2000}
    assert after == {**before, **deciding} != before


def read_planned(environment, folder):
    """Return how many trials are planned, by workload and schedule."""
    measure_batches(environment)
    return {
        (one["workload"], one["schedule"]): one["n_trials"]
        for one in read_spool(folder)["plan.json"]["planned"]
    }


def test_the_selected_part_of_the_plan_is_run_and_kept(environment, tmp_path):
    """Of the plan, what the configuration selects was run, and lies in the spool."""
    found = measure_batches(environment)
    explored = ("planted-race", "explore")
    assert found.keys() == {("planted-race", "delay"), KEY, explored}
    assert found[KEY].batch["failures"] == found[KEY].batch["trials"] == 20
    assert found[KEY].batch["seed"] == zlib.crc32(b"c0ffee/planted-race/handoff")
    spool = read_spool(tmp_path)
    names = {f"planted-race--{schedule}.json" for _, schedule in found}
    assert set(spool) == {"plan.json", *names}
    assert spool["planted-race--handoff.json"]["batch"] == found[KEY].batch
    assert [entry["schedule"] for entry in spool["plan.json"]["planned"]] == [
        "delay",
        "handoff",
        "explore",
    ]
    identity = spool["plan.json"]["identity"]
    assert (identity["packages"], identity["build_packages"]) == (
        {"numpy": "1.0"},
        {"wheel": "0.1"},
    )
    # The next run of the revision takes what is there: times would differ otherwise.
    assert measure_batches(environment) == found


def test_an_unknown_workload_ends_the_run(environment):
    """A misspelt name in the configuration does not silently measure nothing."""
    environment["ASV_FIXWATCH_WORKLOADS"] = "planted-race,nonsense"
    with pytest.raises(ValueError, match="no workload nonsense; see python -m mwe --help"):
        measure_batches(environment)


def test_a_revision_that_cannot_be_had_runs_nothing(environment, tmp_path):
    """Each planned batch has the installation's reason, also in the spool."""
    install(tmp_path, not_run_stage="availability", not_run_reason="no wheel for this Python")
    found = measure_batches(environment)
    assert (found[KEY].stage, found[KEY].reason) == ("availability", "no wheel for this Python")
    kept = read_spool(tmp_path)["planted-race--handoff.json"]
    assert (kept["stage"], kept["reason"]) == ("availability", "no wheel for this Python")


def test_an_installation_of_another_revision_is_not_believed(environment, tmp_path):
    """A record that an environment kept from before says nothing of this commit."""
    install(tmp_path, commit="other", not_run_stage="build", not_run_reason="of the other")
    assert measure_batches(environment)[KEY].batch["trials"] == 20


def test_the_configuration_sets_the_time_of_a_batch(environment):
    """The reason states the limit that was set."""
    environment["ASV_FIXWATCH_BATCH_TIMEOUT_S"] = "0"
    assert measure_batches(environment)[KEY].reason == "did not finish within 0 s"


@pytest.mark.skipif(os.path.exists("/dev/nvidiactl"), reason="this machine has a device")
def test_without_a_device_no_batch_is_tried_there(environment):
    """The driver is asked once, and every planned batch names what is missing."""
    environment.update(NUMBA_ENABLE_CUDASIM="0", ASV_FIXWATCH_WORKLOADS="local-array")
    found = measure_batches(environment)
    assert found["local-array", "natural"].stage == "device"
    assert "CUDA" in found["local-array", "natural"].reason
    assert found.keys() == {("local-array", "natural"), ("local-array", "launch-mix")}


def test_the_configurations_variable_chooses_the_compiler(environment):
    """Each kernel is asked for once; where there is no compiler, each batch says so."""
    environment.update(
        FIXWATCH_TARGET="compiler",
        ASV_FIXWATCH_WORKLOADS="captured-array",
        CUDA_HOME="/nowhere",
        CUDA_PATH="/nowhere",
    )
    assert list_parameters(environment)[1] == ["natural"]
    assert measure_batches(environment).keys() == {("captured-array", "natural")}


def test_further_trials_go_on_from_the_spool(environment):
    """One batch gets the trials that are asked for beyond the plan; the other stays as it is."""
    before = measure_batches(environment)
    environment["ASV_FIXWATCH_MORE_TRIALS"] = "planted-race/handoff/22"
    after = measure_batches(environment)
    assert after[KEY].batch["failing_trials"] == list(range(1, 23))
    assert after[KEY].batch["first_failure_s"] == before[KEY].batch["first_failure_s"]
    assert after["planted-race", "delay"] == before["planted-race", "delay"]
    environment["ASV_FIXWATCH_MORE_TRIALS"] = "planted-race/handoff/5"
    assert measure_batches(environment) == after


ASV_THAT_IS_KILLED = """
import os, pathlib, subprocess, sys, time
code = "from benchmarks.batches import measure_batches; measure_batches()"
subprocess.Popen([sys.executable, "-c", code])
while not pathlib.Path(sys.argv[1]).exists():
    time.sleep(0.005)
os._exit(0)
"""


def test_a_run_stops_when_its_asv_is_gone(environment, tmp_path):
    """It would measure what the next run measures again, at the same time."""
    plan = tmp_path / "spool" / COMMIT / "env" / "plan.json"
    # All workloads: more than a minute's work, of which nothing is done.
    environment["ASV_FIXWATCH_WORKLOADS"] = ""
    done = subprocess.run(
        [sys.executable, "-c", ASV_THAT_IS_KILLED, str(plan)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    # Standard error ends when the run does: both hold it.
    assert "asv has gone away; stopping" in done.stderr
    assert read_spool(tmp_path).keys() == {"plan.json"}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the number of a parent")
def test_a_run_whose_asv_is_gone_before_it_begins_measures_nothing(environment, tmp_path):
    """asv may be killed before the benchmarks look for it: it says who it is."""
    environment["ASV_FIXWATCH_PID"] = str(os.getpid())
    with pytest.raises(SystemExit, match="asv has gone away"):
        measure_batches(environment)
    assert set(read_spool(tmp_path)) == {"plan.json"}


def test_the_benchmarks_import_without_numba_and_without_fixwatch():
    """asv discovers them in environments of any age: only what mwe itself has may be imported."""
    code = (
        "import sys, benchmarks; "
        "print(sorted({'numba', 'numpy', 'fixwatch', 'asv', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
