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
from mwe.planned.client import BatchResult
from mwe.planned.plan import MEASUREMENT_VERSION

TRACKED = [track_failures, track_trials, track_early_return_failures]
KEY = ("local-array", "delay")


def results(**fields):
    """Return the results of a run in which one batch came out like this."""
    return {KEY: BatchResult(**fields)}


@pytest.mark.parametrize("benchmark", TRACKED)
def test_a_benchmark_is_declared_as_asv_reads_it(benchmark):
    """Parameters, unit and version are on each benchmark; the version is the measurement's."""
    workloads, schedules = benchmark.params
    assert benchmark.param_names == ["workload", "schedule"]
    assert {"local-array", "event-query", "planted-race"} <= set(workloads)
    assert schedules == ["delay", "handoff", "explore", "natural", "launch-mix"]
    assert benchmark.unit == "trials"
    assert benchmark.version == MEASUREMENT_VERSION == "3"


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
