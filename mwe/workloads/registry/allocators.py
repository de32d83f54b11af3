"""Device functions that return a buffer's array, or a block's shared one, in a module of their own.

An allocator of a buffer takes the shared and the persistent array, whichever of them it needs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import jit_inlined


def build_shared_allocator(start: int, stop: int) -> Any:
    """Return a device function that takes a slice of the shared array."""

    @jit_inlined
    def allocate(shared, persistent):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return shared[start:stop]

    return allocate


def build_persistent_allocator(start: int, stop: int) -> Any:
    """Return a device function that takes a slice of the persistent array."""

    @jit_inlined
    def allocate(shared, persistent):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return persistent[start:stop]

    return allocate


def build_local_allocator(size: int, precision: Any) -> Any:
    """Return a device function that makes a local array: what hits the race."""

    @jit_inlined
    def allocate(shared, persistent):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return cuda.local.array(size, precision)

    return allocate


def build_shared_taker(n_elements: int) -> Any:
    """Return a device function that makes the block's shared array: hits the race as well."""

    @jit_inlined
    def take_shared():  # type: ignore[no-untyped-def]
        return cuda.shared.array(n_elements, np.float32)

    return take_shared
