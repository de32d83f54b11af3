"""Kernels that meet other defects of the CUDA simulator, for `scripts.explore_releases`."""

from __future__ import annotations

import sys

import numpy as np
from numba import cuda

from mwe.workloads.kernel_subject import KernelSubject

# As many as any launch here has threads; a kernel's shared array has a constant size.
SIZE = 8


def shared_split(n_threads):
    """Return a subject whose threads write into one shared array, and read the next one's element.

    A thread that got another array reads what happens to stand there.
    """
    expected = np.roll(np.arange(1, n_threads + 1, dtype=np.float32), -1)
    return KernelSubject(_build_shared_split, [sys.modules[__name__]], n_threads, expected)


def _build_shared_split():
    @cuda.jit
    def kernel(output, n_threads):
        i = cuda.grid(1)
        shared = cuda.shared.array(SIZE, np.float32)
        if i < n_threads:
            shared[i] = i + 1
        cuda.syncthreads()
        if i < n_threads:
            output[i] = shared[(i + 1) % n_threads]
        cuda.syncthreads()
        # The next launch may get this memory, and must not find the right numbers in it.
        if i < n_threads:
            shared[i] = -1

    return kernel


def mixed_atomics(n_threads):
    """Return a subject in which one half of the threads adds 3, and the other subtracts 1."""
    total = 3 * (-(-n_threads // 2)) - n_threads // 2
    expected = np.array([total], np.int64)
    return KernelSubject(_build_mixed_atomics, [sys.modules[__name__]], n_threads, expected)


def _build_mixed_atomics():
    @cuda.jit
    def kernel(output, n_threads):
        i = cuda.grid(1)
        if i >= n_threads:
            return
        if i % 2 == 0:
            cuda.atomic.add(output, 0, 3)
        else:
            cuda.atomic.sub(output, 0, 1)

    return kernel
