"""Device functions that make an array of float32, in a module apart from every kernel's.

The simulator walks this module's globals at each call, so how many there are is part of what is
measured.
"""

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
