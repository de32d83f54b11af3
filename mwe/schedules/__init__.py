"""Schedules: what decides when the threads of a trial pause. One module each."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol

from mwe.errors import choose
from mwe.schedules.delay import DelayInjection
from mwe.schedules.events import Granularity, Pacer
from mwe.schedules.explore import DeadlockError, Exploration, Explore, Explorer
from mwe.schedules.handoff import HandOff
from mwe.schedules.launch_mix import LaunchMix
from mwe.schedules.natural import Natural
from mwe.targets import Target

__all__ = [
    "DEFAULT_SCHEDULES",
    "SCHEDULES",
    "DeadlockError",
    "DelayInjection",
    "Exploration",
    "Explore",
    "Explorer",
    "Granularity",
    "HandOff",
    "LaunchMix",
    "Natural",
    "Pacer",
    "Schedule",
    "find_schedule",
    "find_schedules",
]


class Schedule(Protocol):
    """A configuration of when threads pause."""

    @property
    def n_active_threads(self) -> int | None:
        """Active threads that a trial should have; None leaves it to the workload."""

    @property
    def targets(self) -> frozenset[Target]:
        """Where there is something that it can decide."""

    def open(self, user_files: Collection[str]) -> AbstractContextManager[Pacer]:
        """Make ready for a batch whose user's functions stand in these files.

        What it gives paces one trial after another, each by a seed of its own.
        """


# The first is what a dashboard shows first.
SCHEDULES: dict[str, Schedule] = {
    "delay": DelayInjection(),
    "handoff": HandOff(),
    "explore": Explore(),
    "natural": Natural(),
    "launch-mix": LaunchMix(),
}
DEFAULT_SCHEDULES = {
    Target.SIMULATOR: "delay",
    Target.CUDA: "natural",
    # A compilation has no threads to pause.
    Target.COMPILER: "natural",
}


def find_schedule(name: str) -> Schedule:
    """Return the schedule of that name; see `mwe.errors.choose`."""
    return choose("schedule", name, SCHEDULES)


def find_schedules(target: Target) -> list[str]:
    """Return the names of the schedules that have something to decide on a target."""
    return [name for name, schedule in SCHEDULES.items() if target in schedule.targets]
