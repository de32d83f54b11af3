"""What asv sees of the benchmarks: parameters, units, and what a missing count reads as."""

from __future__ import annotations

import math

import pytest

import benchmarks
from benchmarks import (
    setup,
    track_early_return_failures,
    track_failures,
    track_trials,
)
from benchmarks.batches import list_parameters
from mwe.planned.client import BatchResult
from mwe.planned.plan import MEASUREMENT_VERSION, plan_batches
from mwe.targets import Target

TRACKED = [track_failures, track_trials, track_early_return_failures]
KEY = ("local-array", "delay")
TARGETS = {"0": Target.CUDA, "1": Target.SIMULATOR}


def results(**fields):
    """Return the results of a run in which one batch came out like this."""
    return {KEY: BatchResult(**fields)}


@pytest.mark.parametrize("benchmark", TRACKED)
def test_a_benchmark_is_declared_as_asv_reads_it(benchmark):
    """Parameters, unit and version are on each benchmark; the version is the measurement's."""
    workloads, schedules = benchmark.params
    assert benchmark.param_names == ["workload", "schedule"]
    assert workloads[0] == "local-array"
    assert {"one-thread", "planted-race"} <= set(workloads)
    assert schedules == ["delay", "handoff", "explore", "natural"]
    assert benchmark.unit == "trials"
    assert benchmark.version == MEASUREMENT_VERSION == "3"


@pytest.mark.parametrize(
    ("simulated", "has_explore", "has_event_query"), [("1", True, False), ("0", False, True)]
)
def test_what_is_never_planned_for_the_target_is_no_parameter(
    simulated, has_explore, has_event_query
):
    """A device explores nothing, and the simulator has no events to ask for."""
    workloads, schedules = list_parameters({"NUMBA_ENABLE_CUDASIM": simulated})
    assert ("explore" in schedules) is has_explore
    assert ("event-query" in workloads) is has_event_query
    planned = {(b.workload, b.schedule) for b in plan_batches(TARGETS[simulated])}
    assert {workload for workload, _ in planned} == set(workloads)
    assert {schedule for _, schedule in planned} == set(schedules)


def test_asv_finds_these_benchmarks_and_no_others():
    """The names that results are stored under are stable."""
    names = {name for name in vars(benchmarks) if name.startswith("track_")}
    assert names == {"track_failures", "track_trials", "track_early_return_failures"}


def test_a_batch_is_read_as_its_counts():
    """Each benchmark returns its own count of the batch."""
    found = results(batch={"failures": 3, "trials": 100, "early_return_failures": 1})
    setup(found, *KEY)
    assert [benchmark(found, *KEY) for benchmark in TRACKED] == [3, 100, 1]


def test_an_unknown_number_of_early_returns_is_not_a_number():
    """NaN says that failures of unknown threads leave it open; it never reads as 0 or a failure."""
    found = results(batch={"failures": 3, "trials": 100, "early_return_failures": None})
    assert math.isnan(track_early_return_failures(found, *KEY))
    assert track_failures(found, *KEY) == 3


@pytest.mark.parametrize("stage", ["availability", "device"])
def test_what_was_never_to_be_run_is_not_applicable(stage):
    """asv takes NotImplementedError for "n/a", and tries such a row no more."""
    with pytest.raises(NotImplementedError, match="the reason"):
        setup(results(stage=stage, reason="the reason"), *KEY)


def test_what_is_not_planned_is_not_applicable():
    """A combination that the run was not to have is no failure either."""
    with pytest.raises(NotImplementedError, match="not planned"):
        setup({}, *KEY)


@pytest.mark.parametrize("stage", ["build", "install", "import", "batch"])
def test_what_failed_to_run_is_a_failure(stage):
    """None is asv's word for failed; a missing count never reads as zero."""
    found = results(stage=stage, reason="the reason")
    setup(found, *KEY)
    assert [benchmark(found, *KEY) for benchmark in TRACKED] == [None, None, None]
