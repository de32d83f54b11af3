"""The batch plan: how many trials of which workload under which schedule make a measurement.

docs/method.md has the arithmetic, `make sensitivity` the rates that it rests on.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mwe.schedules import SCHEDULES, find_schedule
from mwe.targets import Target
from mwe.workloads import DEFAULT_WORKLOAD, WORKLOADS, Workload
from mwe.workloads.subject import Role

# The schedule whose batches are explorations.
EXPLORE = "explore"
# Bumped whenever the meaning of a count changes; see the CHANGELOG's *Measurement*.
MEASUREMENT_VERSION = "2"
# In the environment of the benchmarks: WORKLOAD/SCHEDULE/TRIALS, a batch that is to have so many.
MORE_TRIALS_VARIABLE = "ASV_FIXWATCH_MORE_TRIALS"

# `handoff` shows the shipped race in each trial: 20 leave no doubt. `delay` shows it in 49 of 50
# trials, and wrong fixes that no single interleaving shows in 1 of 3 at the least: 100 miss one
# with less than 1e-9. A control needs fewer, as it only has to be told from those rates. Under
# `natural` failures are rarer than 1 in 5,000: its trials are a record, not a test.
_TRIALS: dict[tuple[str, Role], int] = {
    ("handoff", Role.WORKLOAD): 20,
    ("handoff", Role.POSITIVE_CONTROL): 20,
    ("handoff", Role.NEGATIVE_CONTROL): 20,
    ("delay", Role.WORKLOAD): 100,
    ("delay", Role.POSITIVE_CONTROL): 50,
    ("delay", Role.NEGATIVE_CONTROL): 50,
    ("natural", Role.WORKLOAD): 100,
}
# The other workloads say which ways of allocating are hit. They fail in half of the trials at the
# least, so 50 pass with less than 1e-14; wrong fixes are for the default workload to find.
_OTHER_TRIALS = {"handoff": 20, "delay": 50}

# `explore` runs each schedule once, up to the first failure, so that its trials are no repetitions
# of one experiment. It may run as many as a record can hold.
MAX_SCHEDULES = 1_000_000
# Seconds after which it begins no schedule more. The whole spaces of these workloads take 20 s, and
# that of the positive control ends at its failure; the other workloads' take minutes, which only a
# thorough judge takes.
_WHOLE_SPACES = frozenset({"local-array", "shared-array", "planted-race"})
_WHOLE_SPACE_LIMIT_S = 60.0
_LIMITS_S = {Role.WORKLOAD: 5.0, Role.NEGATIVE_CONTROL: 2.0}


class Exploring(Enum):
    """How much of a plan is explored."""

    NOTHING = "nothing, as in a history"
    ALL = "every workload and control, some in part"
    WHOLE = "the whole space of each"


# On a device no failure is known whose rate could be planned for. 300 trials without one say that
# fewer than 1 in 100 fail (1 - 0.99**300 > 0.95); launches cost milliseconds. The positive
# control fails each time, so 20 leave no doubt that the guards bite.
_DEVICE_TRIALS = {
    Role.WORKLOAD: 300,
    Role.NEGATIVE_CONTROL: 300,
    Role.POSITIVE_CONTROL: 20,
}


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
        return {
            "workload": self.workload,
            "role": self.role,
            "schedule": self.schedule,
            "decides": decides(self.schedule, Target(self.target)),
        }


def plan_batches(
    target: Target,
    names: Collection[str] = WORKLOADS,
    at_least: Mapping[tuple[str, str], int] = {},
    exploring: Exploring = Exploring.NOTHING,
) -> list[PlannedBatch]:
    """Return the batches of a measurement, of the workloads with these names.

    `at_least` says by workload and schedule how many trials are wanted where the plan has fewer; an
    exploration never has more.
    """
    return [
        PlannedBatch(
            workload=name,
            role=workload.role.value,
            schedule=schedule,
            target=target.value,
            n_trials=max(n_trials, at_least.get((name, schedule), 0)),
            limit_s=None if exploring is Exploring.WHOLE else _find_limit(workload, schedule),
        )
        for name, workload in WORKLOADS.items()
        for schedule in SCHEDULES
        if name in names
        and (schedule != EXPLORE or exploring is not Exploring.NOTHING)
        and (n_trials := find_planned_trials(workload, schedule, target)) is not None
    ]


def _find_limit(workload: Workload, schedule: str) -> float | None:
    if schedule != EXPLORE:
        return None
    is_whole = workload.name in _WHOLE_SPACES
    return _WHOLE_SPACE_LIMIT_S if is_whole else _LIMITS_S[workload.role]


def decides(schedule: str, target: Target) -> bool:
    """Whether a revision has to be silent under a schedule to count as not affected.

    Silence under `natural` says nothing in the simulator, so no verdict rests on it there. That of
    an exploration says something only if its whole space was run, which is seen afterwards.
    """
    return target is Target.CUDA or schedule not in ("natural", EXPLORE)


def find_planned_trials(workload: Workload, schedule: str, target: Target) -> int | None:
    """Return how many trials a batch has; None where the combination is not planned."""
    if target not in workload.targets & find_schedule(schedule).targets:
        return None
    if schedule == EXPLORE:
        return MAX_SCHEDULES
    if target is Target.CUDA:
        return _DEVICE_TRIALS[workload.role]
    if workload.role is Role.WORKLOAD and workload.name != DEFAULT_WORKLOAD:
        return _OTHER_TRIALS.get(schedule)
    return _TRIALS.get((schedule, workload.role))
