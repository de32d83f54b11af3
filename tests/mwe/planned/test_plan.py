"""Which combinations are planned on which target."""

from __future__ import annotations

from mwe.defects import WORKLOADS
from mwe.planned.plan import MAX_SCHEDULES, Exploring, decides, plan_batches
from mwe.schedules import DEFAULT_SCHEDULES, find_schedules
from mwe.targets import Target
from mwe.workloads.subject import Role


def planned(target):
    """Return the planned trials by workload and schedule."""
    return {
        (batch.workload, batch.schedule): batch.n_trials
        for batch in plan_batches(target)
        if not batch.is_exploration
    }


def test_the_simulators_plan_is_that_of_measurement_version_2():
    """The committed counts mean something by these numbers of trials, so they do not change."""
    expected = {("local-array", "delay"): 100, ("local-array", "handoff"): 20}
    expected["local-array", "natural"] = 100
    for name in ("shared-array", "registry-local", "registry-shared", "registry-mixed"):
        expected |= {(name, "delay"): 50, (name, "handoff"): 20}
    controls = ("same-module", "helper-without-cuda", "one-thread", "registry-persistent")
    for name in ("chunked-local", *controls, "chunked-plain", "planted-race"):
        expected |= {(name, "delay"): 50, (name, "handoff"): 20}
    assert planned(Target.SIMULATOR) == expected


def test_a_device_runs_every_workload_under_both_of_its_schedules():
    """Only the planted race stays out; a silent batch excludes a failure rate of 1 in 100."""
    found = planned(Target.CUDA)
    assert {schedule for _, schedule in found} == {"natural", "launch-mix"}
    assert {workload for workload, _ in found} == set(WORKLOADS) - {"planted-race"}
    for (name, _), n_trials in found.items():
        if WORKLOADS[name].role is not Role.POSITIVE_CONTROL:
            assert 0.99**n_trials < 0.05


def test_silence_under_natural_decides_on_a_device_only():
    """In the simulator affected releases are silent under it too, so no verdict rests on it."""
    assert not decides("natural", Target.SIMULATOR)
    assert all(decides(name, Target.CUDA) for name in ("natural", "launch-mix"))
    assert all(decides(name, Target.SIMULATOR) for name in ("delay", "handoff"))
    # Whether an exploration's silence does is seen when its space was run.
    assert not decides("explore", Target.SIMULATOR)


def test_a_plan_can_be_limited_and_made_larger():
    """Only the named workloads are planned, and a batch has the larger of two numbers of trials."""
    at_least = {("shared-array", "delay"): 1000, ("shared-array", "handoff"): 5}
    batches = plan_batches(Target.SIMULATOR, ["shared-array"], at_least)
    assert [(batch.workload, batch.schedule, batch.n_trials) for batch in batches] == [
        ("shared-array", "delay", 1000),
        ("shared-array", "handoff", 20),
    ]


def test_a_history_explores_nothing_and_a_judge_everything():
    """A whole space takes as long as the rest of the plan on a fixed revision."""
    assert not any(batch.is_exploration for batch in plan_batches(Target.SIMULATOR))
    planned = plan_batches(Target.SIMULATOR, exploring=Exploring.ALL)
    explored = [batch for batch in planned if batch.is_exploration]
    assert {batch.n_trials for batch in explored} == {MAX_SCHEDULES}


def test_everything_in_the_simulator_is_explored_within_a_limit():
    """Two ways of allocating have the time for their whole space, in a thorough plan all."""
    limits = {
        batch.workload: batch.limit_s
        for batch in plan_batches(Target.SIMULATOR, exploring=Exploring.ALL)
        if batch.is_exploration
    }
    assert limits.keys() == {workload for workload, _ in planned(Target.SIMULATOR)}
    whole = {"local-array", "shared-array", "planted-race"}
    assert {name for name, limit_s in limits.items() if limit_s >= 60} == whole
    assert max(limit_s for name, limit_s in limits.items() if name not in whole) <= 10
    for batch in plan_batches(Target.SIMULATOR, exploring=Exploring.WHOLE):
        assert batch.limit_s is None
    assert not any(batch.is_exploration for batch in plan_batches(Target.CUDA))


def test_further_trials_are_none_of_an_exploration():
    """It repeats nothing: its number of trials is a limit that no search reaches."""
    names, ways = ["local-array"], {("local-array", "explore"): 30_000}
    batches = plan_batches(Target.SIMULATOR, names, ways, exploring=Exploring.ALL)
    assert batches == plan_batches(Target.SIMULATOR, names, exploring=Exploring.ALL)


def test_each_target_has_a_default_schedule_that_fits():
    """A command that names only the target runs."""
    for target in Target:
        assert DEFAULT_SCHEDULES[target] in find_schedules(target)
