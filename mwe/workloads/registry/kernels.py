"""Kernels around three allocators, in a module of their own.

Each takes its buffers, writes a value of its own into every element, and reads all back. Where the
arrays that are cut into slices come from is what tells them apart. A builder takes the allocators
and sizes of the buffers, and the threads of a block and the elements of both arrays for one thread.

Behind a thread's elements of either array lie guards, which are read back as well: a slice that
reaches beyond an array that is too small is not cut off, as NumPy would do it, but writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.registry.allocators import build_shared_taker

# Element j of buffer b gets FIRST_VALUES[b] + j, which each precision rounds in its own way.
FIRST_VALUES = (100.1, 200.1, 300.1)
# What no buffer gets.
GUARD = -1.0
# Behind each array of a thread: more than a plan can be short of. With those of `subjects` they
# fit the static shared memory of a block, 48 KiB, for the 1,024 threads of the largest launch.
N_GUARDS = 7


def build_local_kernel(allocators: Sequence[Any], sizes: Sequence[int], **_memories: int) -> Any:
    """Return a kernel whose buffers need no array to be cut from, so that it has no guards."""
    allocate_a, allocate_b, allocate_c = allocators
    exercise = _build_exercise(sizes, 0)

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        rows = output[i]
        no = rows[0]
        exercise(rows, no, no, allocate_a(no, no), allocate_b(no, no), allocate_c(no, no))

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
    exercise = _build_exercise(sizes, N_GUARDS)
    part_size, own_size = shared_size + N_GUARDS, persistent_size + N_GUARDS
    take_shared = build_shared_taker(block_size * part_size)

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        shared = take_shared()
        mine = shared[i * part_size : (i + 1) * part_size]
        own = cuda.local.array(own_size, np.float32)
        a, b, c = allocate_a(mine, own), allocate_b(mine, own), allocate_c(mine, own)
        exercise(output[i], mine, own, a, b, c)

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
    exercise = _build_exercise(sizes, N_GUARDS)
    part_size, own_size = shared_size + N_GUARDS, persistent_size + N_GUARDS
    n_shared = block_size * part_size

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        shared = cuda.shared.array(n_shared, np.float32)
        mine = shared[i * part_size : (i + 1) * part_size]
        own = cuda.local.array(own_size, np.float32)
        a, b, c = allocate_a(mine, own), allocate_b(mine, own), allocate_c(mine, own)
        exercise(output[i], mine, own, a, b, c)

    return cuda.jit(kernel)


def _build_exercise(sizes: Sequence[int], n_guards: int) -> Any:
    """Return the device function that fills three buffers, and copies each into a row.

    The guards, which are the last elements of both arrays, end two more rows. The function lies in
    the kernel's module, whose globals are swapped for the whole launch, so it cannot hit the race.
    The trip counts are those of the buffers, whatever arrays it is given.
    """
    size_a, size_b, size_c = sizes
    first_a, first_b, first_c = FIRST_VALUES
    first_guard = -n_guards

    def exercise(rows, shared, persistent, a, b, c):  # type: ignore[no-untyped-def]
        guard = GUARD
        for j in range(first_guard, 0):
            shared[j] = guard
            persistent[j] = guard
        for j in range(size_a):
            a[j] = first_a + j
        for j in range(size_b):
            b[j] = first_b + j
        for j in range(size_c):
            c[j] = first_c + j
        for j in range(size_a):
            rows[0, j] = a[j]
        for j in range(size_b):
            rows[1, j] = b[j]
        for j in range(size_c):
            rows[2, j] = c[j]
        for j in range(first_guard, 0):
            rows[3, j] = shared[j]
            rows[4, j] = persistent[j]

    return cuda.jit(device=True, inline=True)(exercise)
