"""A device function that makes the block's shared array, in a module of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import ensure_inlined

__all__ = ["build_allocator"]


def build_allocator(n_elements: int) -> Any:
    """Return the device function ``allocate_shared()``, which returns a float32 array."""

    def allocate_shared():  # type: ignore[no-untyped-def]
        return cuda.shared.array(n_elements, np.float32)

    return ensure_inlined(cuda.jit(device=True, inline=True)(allocate_shared))
