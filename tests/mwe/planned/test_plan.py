"""Which combinations are planned on which target."""

from __future__ import annotations

import pytest

from mwe.planned.plan import decides, describe_unplanned, find_planned_trials
from mwe.schedules import DEFAULT_SCHEDULES, SCHEDULES
from mwe.targets import Target
from mwe.workloads import WORKLOADS, Role


def planned(target):
    """Return the planned trials by workload and schedule."""
    return {
        (workload.name, schedule): n_trials
        for workload in WORKLOADS.values()
        for schedule in SCHEDULES
        if (n_trials := find_planned_trials(workload, schedule, target)) is not None
    }


def test_the_simulators_plan_is_that_of_measurement_version_2():
    """What joined for devices changes no batch there: these numbers give the counts meaning."""
    expected = {("local-array", "delay"): 100, ("local-array", "handoff"): 20}
    expected["local-array", "natural"] = 100
    for name in ("shared-array", "registry-local", "registry-shared", "registry-mixed"):
        expected |= {(name, "delay"): 50, (name, "handoff"): 20}
    controls = ("same-module", "helper-without-cuda", "one-thread", "registry-persistent")
    for name in ("chunked-local", *controls, "chunked-plain", "planted-race"):
        expected |= {(name, "delay"): 50, (name, "handoff"): 20}
    assert planned(Target.SIMULATOR) == expected


def test_a_device_runs_every_workload_under_both_of_its_schedules():
    """All but the race of our own simulator; a silent batch excludes a rate of 1 in 100."""
    found = planned(Target.CUDA)
    assert {schedule for _, schedule in found} == {"natural", "launch-mix"}
    assert {workload for workload, _ in found} == set(WORKLOADS) - {"planted-race"}
    for (name, _), n_trials in found.items():
        if WORKLOADS[name].role is not Role.POSITIVE_CONTROL:
            assert 0.99**n_trials < 0.05


def test_silence_under_natural_decides_on_a_device_only():
    """In the simulator an affected release is silent, too."""
    assert not decides("natural", Target.SIMULATOR)
    assert all(decides(name, Target.CUDA) for name in ("natural", "launch-mix"))
    assert all(decides(name, Target.SIMULATOR) for name in ("delay", "handoff"))


@pytest.mark.parametrize(
    ("workload", "schedule", "target", "reason"),
    [
        ("event-query", "delay", Target.SIMULATOR, "event-query makes no sense on the target sim"),
        ("planted-race", "natural", Target.CUDA, "planted-race makes no sense on the target cuda"),
        ("local-array", "delay", Target.CUDA, "delay makes no sense on the target cuda"),
        ("local-array", "launch-mix", Target.SIMULATOR, "launch-mix makes no sense on the target"),
        ("one-thread", "natural", Target.SIMULATOR, "only the default workload runs under natural"),
    ],
)
def test_what_is_not_planned_has_a_true_reason(workload, schedule, target, reason):
    """It names what does not fit."""
    assert find_planned_trials(WORKLOADS[workload], schedule, target) is None
    assert reason in describe_unplanned(WORKLOADS[workload], schedule, target)


def test_each_target_has_a_default_schedule_that_fits():
    """So that ``--target`` alone is a command."""
    for target in Target:
        assert target in SCHEDULES[DEFAULT_SCHEDULES[target]].targets
