"""Schedules: what decides when the threads of a trial pause. One module each."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from mwe.errors import BadArgumentError
from mwe.schedules.delay import DelayInjection
from mwe.schedules.natural import Natural

__all__ = [
    "DEFAULT_SCHEDULE",
    "SCHEDULES",
    "DelayInjection",
    "Natural",
    "Schedule",
    "find_schedule",
]


class Schedule(Protocol):
    """A way to run one trial."""

    def applied(self, trial_seed: str) -> AbstractContextManager[None]:
        """Apply the schedule to every thread that is started inside the block."""


# The first is what a dashboard shows first.
SCHEDULES: dict[str, Schedule] = {"delay": DelayInjection(), "natural": Natural()}
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
