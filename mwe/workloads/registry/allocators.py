"""Device functions that return a buffer's array, or a block's shared one, in a module of their own.

Every allocator takes the shared and the persistent array, whichever of them it needs. The simulator
walks this module's globals at each call, so how many there are is part of what is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import ensure_inlined

__all__ = [
    "build_local_allocator",
    "build_persistent_allocator",
    "build_shared_allocator",
    "build_shared_taker",
]

DeviceFunction = Callable[..., Any]


def build_shared_allocator(start: int, stop: int) -> DeviceFunction:
    """Return a device function that takes a slice of the shared array."""

    def allocate(shared, persistent):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return shared[start:stop]

    return _make_device_function(allocate)


def build_persistent_allocator(start: int, stop: int) -> DeviceFunction:
    """Return a device function that takes a slice of the persistent array."""

    def allocate(shared, persistent):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return persistent[start:stop]

    return _make_device_function(allocate)


def build_local_allocator(size: int, precision: Any) -> DeviceFunction:
    """Return a device function that makes a local array: what hits the race."""

    def allocate(shared, persistent):  # type: ignore[no-untyped-def]  # noqa: ARG001
        return cuda.local.array(size, precision)

    return _make_device_function(allocate)


def build_shared_taker(n_elements: int) -> DeviceFunction:
    """Return a device function that makes the block's shared array: hits the race as well."""

    def take_shared():  # type: ignore[no-untyped-def]
        return cuda.shared.array(n_elements, np.float32)

    return _make_device_function(take_shared)


def _make_device_function(function: DeviceFunction) -> DeviceFunction:
    made: DeviceFunction = ensure_inlined(cuda.jit(device=True, inline=True)(function))
    return made
