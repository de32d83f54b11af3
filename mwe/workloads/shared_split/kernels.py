"""Kernels whose threads write into shared arrays, wait for each other, and read.

``kernel(output, n_threads, first)``: each active thread `i` puts ``first + i`` into its element,
and writes to `output` what it reads behind the barrier. A thread from `n_threads` on returns early.
"""

from typing import Any

import numpy as np
from numba import cuda


def build_kernel(block_size: int, distance: int) -> Any:
    """Return the kernel whose threads read the element `distance` further, around the end."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads, first):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i >= n_threads:
            return
        shared = cuda.shared.array(block_size, np.float32)
        shared[i] = first + i
        cuda.syncthreads()
        output[i] = shared[(i + distance) % n_threads]

    return kernel


def build_helper_kernel(allocate_shared: Any) -> Any:
    """Return the kernel whose shared array is made by a device function of another module."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads, first):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i >= n_threads:
            return
        shared = allocate_shared()
        shared[i] = first + i
        cuda.syncthreads()
        output[i] = shared[(i + 1) % n_threads]

    return kernel


def build_several_kernel(block_size: int) -> Any:
    """Return the kernel with two shared arrays; each has a row of the output."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads, first):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i >= n_threads:
            return
        one = cuda.shared.array(block_size, np.float32)
        other = cuda.shared.array(block_size, np.float32)
        one[i] = first + i
        other[i] = first + i
        cuda.syncthreads()
        neighbour = (i + 1) % n_threads
        output[0, i] = one[neighbour]
        output[1, i] = other[neighbour]

    return kernel
