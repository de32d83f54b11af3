"""Kernels whose array comes from a device function; each thread's index chooses the element.

So the compiler cannot hold a local array in registers. ``kernel(output, n_threads)``: thread i
writes ``i & 3``. A builder takes the device function; a thread from `n_threads` on returns early.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

# A power of two, so that an index is cut off by `&`.
N_ELEMENTS = 4


def build_local_allocator(**options: Any) -> Any:
    """Return a device function that returns a local array; the options are the decorator's."""

    def allocate():  # type: ignore[no-untyped-def]
        return cuda.local.array(N_ELEMENTS, np.int64)

    return cuda.jit(device=True, **options)(allocate)


def build_shared_allocator(n_elements: int, **options: Any) -> Any:
    """Return a device function that returns the block's shared array."""

    def allocate():  # type: ignore[no-untyped-def]
        return cuda.shared.array(n_elements, np.int64)

    return cuda.jit(device=True, **options)(allocate)


def build_passer() -> Any:
    """Return a device function that returns the array it is given."""

    def hand_back(array):  # type: ignore[no-untyped-def]
        return array

    return cuda.jit(device=True, inline=True)(hand_back)


def build_local_kernel(allocate: Any) -> Any:
    """Return the kernel around a local array."""

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        own = allocate()
        for j in range(N_ELEMENTS):
            own[j] = j
        output[i] = own[i & (N_ELEMENTS - 1)]

    return cuda.jit(kernel)


def build_shared_kernel(allocate: Any) -> Any:
    """Return the kernel around a shared array with an element for each thread."""

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        shared = allocate()
        shared[i] = i & (N_ELEMENTS - 1)
        cuda.syncthreads()
        output[i] = shared[i]

    return cuda.jit(kernel)


def build_given_kernel(hand_back: Any) -> Any:
    """Return the kernel that makes the local array itself, and gets it back."""

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        own = hand_back(cuda.local.array(N_ELEMENTS, np.int64))
        for j in range(N_ELEMENTS):
            own[j] = j
        output[i] = own[i & (N_ELEMENTS - 1)]

    return cuda.jit(kernel)
