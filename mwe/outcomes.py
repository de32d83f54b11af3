"""Outcomes of trials: which class a trial falls into, and what of a failure is kept as evidence."""

from __future__ import annotations

import re
import traceback
from dataclasses import dataclass
from enum import Enum

from mwe.workloads.subject import Grid


class FailureMode(str, Enum):
    """A named class of failing trials. Each failing trial has exactly one."""

    MISSING_ATTRIBUTE = "missing-attribute"
    LEAKED_GLOBAL = "leaked-global"
    WRONG_RESULT = "wrong-result"
    EXCEPTION = "exception"
    HANG = "hang"
    CRASH = "crash"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one trial showed."""

    mode: FailureMode | None  # None where the trial passed
    detail: str = ""  # the failure's message without the simulator's thread prefix
    attribute: str | None = None  # that was missing, for FailureMode.MISSING_ATTRIBUTE
    thread_index: int | None = None  # of the thread that failed, in the grid, if it is known
    function: str | None = None  # that raised the error, if one was raised
    leaked: bool = False  # whether a global was not put back, in whichever mode the trial failed
    refused: bool = False  # whether upstream refused the launch, which is no failure

    @property
    def failed(self) -> bool:
        """Whether the trial failed, in whichever mode."""
        return self.mode is not None


PASSED = Outcome(mode=None)

# The simulator puts the failing thread before the message: "tid=[3, 0, 0] ctaid=[0, 0, 0]: ...".
_PLACE = r"\[(\d+), *(\d+), *(\d+)\]"
_THREAD_PREFIX = re.compile(rf"^tid={_PLACE} ctaid={_PLACE}(?:: )?")
_MISSING_ATTRIBUTE = re.compile(r"^module 'numba\.cuda' has no attribute '([^']*)'")


def classify_error(error: BaseException, grid: Grid) -> Outcome:
    """Classify what a launch raised, with or without the simulator's thread prefix.

    It is `missing-attribute` where the real module was used in place of the simulated one, and
    `exception` otherwise. The grid turns the prefix into the thread's index in the launch.
    """
    message = str(error)
    thread_index = attribute = None
    mode = FailureMode.EXCEPTION
    if prefix := _THREAD_PREFIX.match(message):
        x, y, z, block_x, block_y, block_z = map(int, prefix.groups())
        thread_index = grid.find_index((x, y, z), (block_x, block_y, block_z))
        message = message[prefix.end() :]
    missing = _MISSING_ATTRIBUTE.match(message)
    if missing and isinstance(error, AttributeError):
        mode, attribute = FailureMode.MISSING_ATTRIBUTE, missing[1]
    else:
        message = f"{type(error).__name__}: {message}"
    return Outcome(
        mode=mode,
        detail=message,
        attribute=attribute,
        thread_index=thread_index,
        function=_find_function(error),
    )


def _find_function(error: BaseException) -> str | None:
    """Return the name of the function that raised an error; None if it was never raised.

    What a generator expression in it raised, the function raised.
    """
    names = [frame.f_code.co_name for frame, _ in traceback.walk_tb(error.__traceback__)]
    return next((name for name in reversed(names) if not name.startswith("<")), None)
