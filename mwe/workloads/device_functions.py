"""Device functions in a module apart from every kernel's; arrays are of float32."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import jit_inlined


def build_local_allocator(n_elements: int) -> Any:
    """Return the device function ``allocate()``, which returns a local array."""

    @jit_inlined
    def allocate():  # type: ignore[no-untyped-def]
        return cuda.local.array(n_elements, np.float32)

    return allocate


def build_shared_allocator(n_elements: int) -> Any:
    """Return the device function ``allocate()``, which returns the block's shared array."""

    @jit_inlined
    def allocate():  # type: ignore[no-untyped-def]
        return cuda.shared.array(n_elements, np.float32)

    return allocate


def build_fill() -> Any:
    """Return ``fill_first(buffer)``, which writes 1.0 to element 0 and uses nothing of cuda."""

    @cuda.jit(device=True, inline=True)  # type: ignore[untyped-decorator,unused-ignore]
    def fill_first(buffer):  # type: ignore[no-untyped-def]
        buffer[0] = 1.0

    return fill_first
