"""Which combinations are planned on which target."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mwe.defects import DEFECTS, WORKLOADS, find_defect
from mwe.planned.plan import MAX_SCHEDULES, decides, plan_batches
from mwe.schedules import DEFAULT_SCHEDULES, find_schedules
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Asker

SWAP = {workload.name for workload in DEFECTS["cuda-swap"].workloads}


def in_simulator(schedule):
    """Return the workloads whose defect names a schedule."""
    return {
        workload.name
        for defect in DEFECTS.values()
        for workload in defect.workloads
        if Target.SIMULATOR in workload.targets and schedule in defect.schedules
    }


def planned(target):
    """Return the planned trials by workload and schedule."""
    return {
        (batch.workload, batch.schedule): batch.n_trials
        for batch in plan_batches(target)
        if not batch.is_exploration
    }


def test_the_plan_of_the_first_defect_is_that_of_measurement_version_3():
    """The committed counts mean something by these numbers of trials, so they do not change."""
    found = {way: n for way, n in planned(Target.SIMULATOR).items() if way[0] in SWAP}
    assert {schedule for _, schedule in found} == {"delay", "handoff", "natural"}
    assert found.pop(("local-array", "delay")) == 50
    assert found.pop(("local-array", "natural")) == 50
    assert set(found.values()) == {20}
    assert {workload for workload, _ in found} == SWAP - {"event-query", "planted-overrun"}


def test_a_defect_is_measured_under_its_schedules_and_no_others():
    """What is recorded is so of the workload that stands for it alone."""
    for batch in plan_batches(Target.SIMULATOR, asker=Asker.JUDGE):
        defect = find_defect(batch.workload)
        is_recorded = batch.schedule in defect.recorded_schedules
        assert is_recorded or batch.schedule in defect.schedules
        assert not is_recorded or batch.workload == defect.default_workload.name
        assert batch.identity["defect"] == defect.name


def test_a_device_runs_every_workload_under_both_of_its_schedules():
    """A silent batch there excludes a failure rate of 1 in 100."""
    found = planned(Target.CUDA)
    assert {schedule for _, schedule in found} == {"natural", "launch-mix"}
    assert {workload for workload, _ in found} == {
        name for name, workload in WORKLOADS.items() if Target.CUDA in workload.targets
    }
    for (name, _), n_trials in found.items():
        if WORKLOADS[name].role is not Role.POSITIVE_CONTROL:
            assert 0.99**n_trials < 0.05


def test_a_compiler_is_asked_once_for_each_kernel():
    """It makes the same of a kernel each time, so that one answer decides."""
    found = planned(Target.COMPILER)
    assert set(found.values()) == {1}
    assert set(found) == {
        (name, "natural")
        for name, workload in WORKLOADS.items()
        if Target.COMPILER in workload.targets
    }
    assert all(batch.identity["decides"] for batch in plan_batches(Target.COMPILER))


def test_every_kernel_that_is_launched_on_a_device_is_compiled():
    """What a device could show is looked for without one, too."""
    compiled = {name for name, workload in WORKLOADS.items() if Target.COMPILER in workload.targets}
    launched = {name for name, workload in WORKLOADS.items() if Target.CUDA in workload.targets}
    assert compiled > launched


def test_silence_under_natural_decides_outside_the_simulator_only():
    """In the simulator affected releases are silent under it too, so no verdict rests on it."""
    swap = DEFECTS["cuda-swap"]
    assert not decides(swap, "natural", Target.SIMULATOR)
    assert all(decides(swap, name, Target.CUDA) for name in ("natural", "launch-mix"))
    assert all(decides(swap, name, Target.SIMULATOR) for name in ("delay", "handoff"))
    # Whether an exploration's silence does is seen when its space was run.
    assert not decides(swap, "explore", Target.SIMULATOR)


@pytest.mark.parametrize("schedule", ["natural", "delay", "handoff"])
def test_a_schedule_decides_for_the_defects_that_name_it(schedule):
    """One that shows a defect surely may be blind for another."""
    swap = DEFECTS["cuda-swap"]
    named = replace(swap, schedules=(schedule,), recorded_schedules=())
    assert decides(named, schedule, Target.SIMULATOR)
    others = {"natural", "delay", "handoff"} - {schedule}
    assert not any(decides(named, other, Target.SIMULATOR) for other in others)


def test_a_plan_can_be_limited_and_made_larger():
    """Only the named workloads are planned, and a batch has the larger of two numbers of trials."""
    at_least = {("shared-array", "delay"): 1000, ("shared-array", "handoff"): 5}
    batches = plan_batches(Target.SIMULATOR, ["shared-array"], at_least)
    assert [(batch.workload, batch.schedule, batch.n_trials) for batch in batches] == [
        ("shared-array", "delay", 1000),
        ("shared-array", "handoff", 20),
    ]


def test_a_history_explores_what_is_quick_and_a_judge_everything():
    """What one asker has run to the end, a later one has too."""
    explored = {
        asker: {
            batch.workload: batch.limit_s
            for batch in plan_batches(Target.SIMULATOR, asker=asker)
            if batch.is_exploration
        }
        for asker in Asker
    }
    history, judge, thorough = (explored[asker] for asker in Asker)
    assert history.keys() & SWAP == {"local-array", "one-thread", "planted-race"}
    assert history.items() <= judge.items()
    assert judge.keys() == thorough.keys() == in_simulator("explore")
    assert set(thorough.values()) == {None}


def test_a_judge_has_a_minute_for_a_whole_space_and_seconds_for_a_part():
    """Two ways of allocating are explored to their end, of the others of the race a part."""
    limits = {
        batch.workload: batch.limit_s
        for batch in plan_batches(Target.SIMULATOR, SWAP, asker=Asker.JUDGE)
        if batch.is_exploration
    }
    whole = {"local-array", "shared-array", "one-thread", "planted-race"}
    assert {name for name, limit_s in limits.items() if limit_s >= 60} == whole
    assert max(limit_s for name, limit_s in limits.items() if name not in whole) <= 10


def test_an_exploration_may_run_as_many_schedules_as_a_record_holds():
    """Its limit is the time."""
    batches = plan_batches(Target.SIMULATOR, asker=Asker.THOROUGH_JUDGE)
    assert {batch.n_trials for batch in batches if batch.is_exploration} == {MAX_SCHEDULES}
    assert not any(batch.is_exploration for batch in plan_batches(Target.CUDA, asker=Asker.JUDGE))


def test_further_trials_are_none_of_an_exploration():
    """It repeats nothing: its number of trials is a limit that no search reaches."""
    names, ways = ["local-array"], {("local-array", "explore"): 30_000}
    batches = plan_batches(Target.SIMULATOR, names, ways, asker=Asker.JUDGE)
    assert batches == plan_batches(Target.SIMULATOR, names, asker=Asker.JUDGE)


def test_each_target_has_a_default_schedule_that_fits():
    """A command that names only the target runs."""
    for target in Target:
        assert DEFAULT_SCHEDULES[target] in find_schedules(target)
