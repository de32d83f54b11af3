"""Kernels beside the reproducer's, each writing 1.0 to ``output[:n_threads]`` in a way of its own.

A thread from `n_threads` on returns early.
"""

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import jit_inlined


def build_2d_kernel(allocate_buffer: Any) -> Any:
    """Return the reproducer's kernel for blocks of two dimensions in a row."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        row = cuda.threadIdx.y + cuda.blockDim.y * cuda.blockIdx.x
        i = cuda.threadIdx.x + cuda.blockDim.x * row
        if i >= n_threads:
            return
        buffer = allocate_buffer()
        buffer[0] = 1.0
        output[i] = buffer[0]

    return kernel


def build_shared_kernel(allocate_shared: Any) -> Any:
    """Return ``kernel(output, n_threads)`` around a shared array from another module.

    Each thread uses an element of its own, so nothing has to be synchronised.
    """

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        buffer = allocate_shared()
        buffer[i] = 1.0
        output[i] = buffer[i]

    return kernel


def build_same_module_kernel(buffer_size: int) -> Any:
    """Control: the allocator is a device function of this module, where the race cannot occur."""

    @jit_inlined
    def allocate_buffer():  # type: ignore[no-untyped-def]
        return cuda.local.array(buffer_size, dtype=np.float32)

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        buffer = allocate_buffer()
        buffer[0] = 1.0
        output[i] = buffer[0]

    return kernel


def build_plain_helper_kernel(fill_first: Any, buffer_size: int) -> Any:
    """Control: the kernel allocates by itself, and its helper touches nothing of cuda."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        buffer = cuda.local.array(buffer_size, dtype=np.float32)
        fill_first(buffer)
        output[i] = buffer[0]

    return kernel
