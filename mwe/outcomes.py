"""Outcomes of trials: which class a trial falls into, and what of a failure is kept as evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum


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
    """What one trial showed.

    Attributes
    ----------
    mode
        The failure mode, or None where the trial passed.
    detail
        The failure's message without the simulator's thread prefix; empty where the trial passed.
    attribute
        The attribute that was missing, for `FailureMode.MISSING_ATTRIBUTE`.
    thread_index
        The global index of the thread that failed, where the message named it.
    leaked
        Whether a global was not put back, in whichever mode the trial failed.
    """

    mode: FailureMode | None
    detail: str = ""
    attribute: str | None = None
    thread_index: int | None = None
    leaked: bool = False

    @property
    def failed(self) -> bool:
        """Whether the trial failed, in whichever mode."""
        return self.mode is not None


PASSED = Outcome(mode=None)

# The simulator puts the failing thread before the message: "tid=[3, 0, 0] ctaid=[0, 0, 0]: ...".
_THREAD_PREFIX = re.compile(r"^tid=\[(\d+), *\d+, *\d+\] ctaid=\[(\d+), *\d+, *\d+\](?:: )?")
_MISSING_ATTRIBUTE = re.compile(r"^module 'numba\.cuda' has no attribute '([^']*)'")


def classify_error(error: Exception, threads_per_block: int) -> Outcome:
    """Classify what a launch raised.

    Parameters
    ----------
    error
        The exception, with or without the simulator's thread prefix in its message.
    threads_per_block
        The block size of the one-dimensional launch, which turns the prefix into a global index.

    Returns
    -------
    Outcome
        `missing-attribute` where the real module was used in place of the simulated one,
        `exception` for anything else.
    """
    message = str(error)
    thread_index = None
    prefix = _THREAD_PREFIX.match(message)
    if prefix:
        thread, block = int(prefix[1]), int(prefix[2])
        thread_index = block * threads_per_block + thread
        message = message[prefix.end() :]
    missing = _MISSING_ATTRIBUTE.match(message)
    if missing and isinstance(error, AttributeError):
        return Outcome(
            mode=FailureMode.MISSING_ATTRIBUTE,
            detail=message,
            attribute=missing[1],
            thread_index=thread_index,
        )
    return Outcome(
        mode=FailureMode.EXCEPTION,
        detail=f"{type(error).__name__}: {message}",
        thread_index=thread_index,
    )
