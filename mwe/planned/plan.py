"""The batch plan: how many trials of which workload under which schedule make a measurement.

docs/method.md has the arithmetic, `make sensitivity` the rates that it rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mwe.defects import DEFAULT_WORKLOAD, DEFECTS, WORKLOADS, Defect, find_defect
from mwe.schedules import SCHEDULES, find_schedule
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Asker, Workload

# The schedule whose batches are explorations.
EXPLORE = "explore"
# Bumped whenever the meaning of a count changes; see the CHANGELOG's *Measurement*.
MEASUREMENT_VERSION = "3"
# In the environment of the benchmarks: WORKLOAD/SCHEDULE/TRIALS, a batch that is to have so many.
MORE_TRIALS_VARIABLE = "ASV_FIXWATCH_MORE_TRIALS"

# The trials of a batch under a schedule that decides. Each shows the defect, and the planted one,
# in half of the trials at the least: 20 all pass with less than 1e-6. Wrong fixes that no single
# interleaving shows are for the workload that the tracker began with to find, and for `explore`:
# `delay` shows them in 1 of 5 trials at the least, so 50 miss one with 1e-5.
_TRIALS = {"handoff": 20, "delay": 20, "natural": 20}
_TRIALS_OF_DEFAULT_WORKLOAD = {"delay": 50}
# Failures are rarer than 1 in 5,000: these trials are a record, not a test.
_RECORDED_TRIALS = 50

# `explore` runs each schedule once, up to the first failure, so that its trials are no repetitions
# of one experiment. It may run as many as a record can hold.
MAX_SCHEDULES = 1_000_000
# Seconds after which an exploration begins no schedule more: of a whole space, and of the part that
# a judge runs of the others.
_WHOLE_SPACE_LIMIT_S = 60.0
_LIMITS_S = {Role.WORKLOAD: 5.0, Role.NEGATIVE_CONTROL: 2.0, Role.POSITIVE_CONTROL: 5.0}
# On a device no failure is known whose rate could be planned for. 300 trials without one say that
# fewer than 1 in 100 fail (1 - 0.99**300 > 0.95); launches cost milliseconds. The positive
# control fails each time, so 20 leave no doubt that the guards bite.
_DEVICE_TRIALS = {
    Role.WORKLOAD: 300,
    Role.NEGATIVE_CONTROL: 300,
    Role.POSITIVE_CONTROL: 20,
}
# A compiler makes the same of a kernel each time.
_COMPILATIONS = 1


@dataclass(frozen=True, kw_only=True)
class PlannedBatch:
    """A batch that is to be run, named as the command line names things."""

    workload: str
    role: str
    schedule: str
    target: str
    n_trials: int  # of an exploration the most schedules that it may run
    limit_s: float | None = None  # of an exploration, which begins no schedule later

    @property
    def is_exploration(self) -> bool:
        """Whether its trials are different schedules, of which none is run twice."""
        return self.schedule == EXPLORE

    @property
    def identity(self) -> dict[str, Any]:
        """What a record says of the batch, whatever becomes of it."""
        defect = find_defect(self.workload)
        return {
            "defect": defect.name,
            "workload": self.workload,
            "role": self.role,
            "schedule": self.schedule,
            "decides": decides(defect, self.schedule, Target(self.target)),
        }


def plan_batches(
    target: Target,
    names: Collection[str] = WORKLOADS,
    at_least: Mapping[tuple[str, str], int] = {},
    asker: Asker = Asker.HISTORY,
    schedules: Collection[str] = SCHEDULES,
) -> list[PlannedBatch]:
    """Return the batches of a measurement, of workloads and schedules with these names.

    `at_least` says by workload and schedule how many trials are wanted where the plan has fewer; an
    exploration never has more.
    """
    return [
        PlannedBatch(
            workload=workload.name,
            role=workload.role.value,
            schedule=schedule,
            target=target.value,
            n_trials=max(n_trials, at_least.get((workload.name, schedule), 0)),
            limit_s=_find_limit(workload, asker) if schedule == EXPLORE else None,
        )
        for defect in DEFECTS.values()
        for workload in defect.workloads
        for schedule in SCHEDULES
        if workload.name in names
        and schedule in schedules
        and (schedule != EXPLORE or asker >= min(Asker.JUDGE, workload.explored_whole_by))
        and (n_trials := find_planned_trials(workload, schedule, target)) is not None
    ]


def _find_limit(workload: Workload, asker: Asker) -> float | None:
    if asker is Asker.THOROUGH_JUDGE:
        return None
    is_whole = asker >= workload.explored_whole_by
    return _WHOLE_SPACE_LIMIT_S if is_whole else _LIMITS_S[workload.role]


def decides(defect: Defect, schedule: str, target: Target) -> bool:
    """Whether a revision has to be silent under a schedule to count as not affected.

    The silence of an exploration says something only if its whole space was run, which is seen
    afterwards.
    """
    is_simulated = target is Target.SIMULATOR
    return not is_simulated or (schedule in defect.schedules and schedule != EXPLORE)


def find_planned_trials(workload: Workload, schedule: str, target: Target) -> int | None:
    """Return how many trials a batch has; None where the combination is not planned."""
    if target not in workload.targets & find_schedule(schedule).targets:
        return None
    if target is Target.CUDA:
        return _DEVICE_TRIALS[workload.role]
    if target is Target.COMPILER:
        return _COMPILATIONS
    defect = find_defect(workload.name)
    if schedule in defect.recorded_schedules:
        return _RECORDED_TRIALS if workload is defect.default_workload else None
    if schedule not in defect.schedules:
        return None
    if schedule == EXPLORE:
        return MAX_SCHEDULES
    if workload.name == DEFAULT_WORKLOAD and schedule in _TRIALS_OF_DEFAULT_WORKLOAD:
        return _TRIALS_OF_DEFAULT_WORKLOAD[schedule]
    return _TRIALS[schedule]
