"""Kernels around three allocators, in a module of their own.

Each takes its buffers, writes a value of its own into every element, and reads all back. Where the
arrays that are cut into slices come from is what tells them apart. A builder takes the allocators
and sizes of the buffers, and the threads of a block and the elements of both arrays for one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.registry.allocators import build_shared_taker

# Element j of buffer b gets FIRST_VALUES[b] + j.
FIRST_VALUES = (100.0, 200.0, 300.0)


def build_local_kernel(allocators: Sequence[Any], sizes: Sequence[int], **_memories: int) -> Any:
    """Return a kernel whose buffers need no array to be cut from."""
    allocate_a, allocate_b, allocate_c = allocators
    exercise = _build_exercise(sizes)

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        row = output[i]
        exercise(row, allocate_a(row, row), allocate_b(row, row), allocate_c(row, row))

    return cuda.jit(kernel)


def build_helper_shared_kernel(
    allocators: Sequence[Any],
    sizes: Sequence[int],
    *,
    block_size: int,
    shared_size: int,
    persistent_size: int,
) -> Any:
    """Return a kernel whose shared array comes from a helper; each thread has its part of it."""
    allocate_a, allocate_b, allocate_c = allocators
    exercise = _build_exercise(sizes)
    take_shared = build_shared_taker(block_size * shared_size)

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        shared = take_shared()
        mine = shared[i * shared_size : (i + 1) * shared_size]
        own = cuda.local.array(persistent_size, np.float32)
        exercise(output[i], allocate_a(mine, own), allocate_b(mine, own), allocate_c(mine, own))

    return cuda.jit(kernel)


def build_own_arrays_kernel(
    allocators: Sequence[Any],
    sizes: Sequence[int],
    *,
    block_size: int,
    shared_size: int,
    persistent_size: int,
) -> Any:
    """Return a kernel that makes the arrays itself and passes them in: never hits the race."""
    allocate_a, allocate_b, allocate_c = allocators
    exercise = _build_exercise(sizes)
    n_shared = block_size * shared_size

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        shared = cuda.shared.array(n_shared, np.float32)
        mine = shared[i * shared_size : (i + 1) * shared_size]
        own = cuda.local.array(persistent_size, np.float32)
        exercise(output[i], allocate_a(mine, own), allocate_b(mine, own), allocate_c(mine, own))

    return cuda.jit(kernel)


def _build_exercise(sizes: Sequence[int]) -> Any:
    """Return the device function that fills three buffers and copies them into a row.

    It lies in the kernel's module, whose globals are swapped for the whole launch, so it cannot
    hit the race. The trip counts are those of the buffers, whatever arrays it is given.
    """
    size_a, size_b, size_c = sizes
    first_a, first_b, first_c = FIRST_VALUES

    def exercise(row, a, b, c):  # type: ignore[no-untyped-def]
        for j in range(size_a):
            a[j] = first_a + j
        for j in range(size_b):
            b[j] = first_b + j
        for j in range(size_c):
            c[j] = first_c + j
        for j in range(size_a):
            row[j] = a[j]
        for j in range(size_b):
            row[size_a + j] = b[j]
        for j in range(size_c):
            row[size_a + size_b + j] = c[j]

    return cuda.jit(device=True, inline=True)(exercise)
