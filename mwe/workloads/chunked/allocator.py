"""A device function that makes a run's working array, in a module of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import ensure_inlined

__all__ = ["build_allocator"]


def build_allocator(size: int) -> Any:
    """Return the device function ``allocate_work()``, which returns a float32 array."""

    def allocate_work():  # type: ignore[no-untyped-def]
        return cuda.local.array(size, np.float32)

    return ensure_inlined(cuda.jit(device=True, inline=True)(allocate_work))
