"""Schedules: what decides when the threads of a trial pause. One module each."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager
from typing import Protocol

from mwe.errors import BadArgumentError
from mwe.schedules.delay import DelayInjection
from mwe.schedules.handoff import HandOff
from mwe.schedules.natural import Natural
from mwe.schedules.stepping import Granularity

__all__ = [
    "DEFAULT_SCHEDULE",
    "SCHEDULES",
    "DelayInjection",
    "Driver",
    "Granularity",
    "HandOff",
    "Natural",
    "Schedule",
    "find_schedule",
]


class Driver(Protocol):
    """A schedule that is ready for the trials of a batch."""

    def trial(self, trial_seed: str) -> AbstractContextManager[None]:
        """Apply the schedule to every thread that is started inside the block."""


class Schedule(Protocol):
    """A configuration of when threads pause."""

    @property
    def n_active_threads(self) -> int | None:
        """Active threads that a trial should have; None leaves it to the workload."""

    def open(self, user_files: Collection[str]) -> AbstractContextManager[Driver]:
        """Make ready for a batch whose user's functions stand in these files."""


# The first is what a dashboard shows first.
SCHEDULES: dict[str, Schedule] = {
    "delay": DelayInjection(),
    "handoff": HandOff(),
    "natural": Natural(),
}
DEFAULT_SCHEDULE = "delay"


def find_schedule(name: str) -> Schedule:
    """Return the schedule of that name.

    Raises
    ------
    BadArgumentError
        If there is none.
    """
    try:
        return SCHEDULES[name]
    except KeyError:
        raise BadArgumentError(
            f"unknown schedule {name!r}; choose one of {', '.join(SCHEDULES)}"
        ) from None
