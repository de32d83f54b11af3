"""Device arrays between guards: a write beside an array shows, whether or not the driver notices.

A fault is raised only where a write leaves the device's allocations, which are far larger than an
array of these workloads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.subject import GuardedOutput

# On either side. As many bytes as allocations are aligned to, so the array between is, too.
N_GUARDS = 64
# What no kernel writes.
GUARD = np.float32(-98765.0)


class GuardedArray:
    """An array of floats on the device, with guard elements on both sides.

    It has the shape of the content that it holds at first. `array` is what a kernel is given: a
    C-contiguous view without the guards.
    """

    def __init__(self, content: Any, stream: Any = 0) -> None:
        self._shape = content.shape
        self._whole = cuda.to_device(surround(content), stream=stream)
        self.array = self._whole[N_GUARDS : N_GUARDS + content.size].reshape(*content.shape)

    def read(self) -> GuardedOutput:
        """Return what the array holds, and which guard was written.

        Whatever writes it must have been waited for.
        """
        return open_guards(self._whole.copy_to_host(), self._shape)


def surround(content: Any) -> Any:
    """Return a flat copy of an array with guards on both sides."""
    guards = np.full(N_GUARDS, GUARD, content.dtype)
    return np.concatenate([guards, np.ravel(content), guards])


def open_guards(whole: Any, shape: tuple[int, ...]) -> GuardedOutput:
    """Take what `surround` made apart again, and look at the guards."""
    content = whole[N_GUARDS:-N_GUARDS].reshape(shape)
    written = np.flatnonzero(whole != GUARD)
    beside = written[(written < N_GUARDS) | (written >= whole.size - N_GUARDS)]
    if not beside.size:
        return GuardedOutput(content, "")
    first = int(beside[0])
    return GuardedOutput(
        content,
        f"out of bounds: element {first - N_GUARDS} of an array of {content.size} was written, "
        f"it is {whole[first]} ({beside.size} elements beside the array differ)",
    )
