"""The subjects of the local-array family: each writes 1.0 to ``output[:n_threads]``."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from mwe.workloads import allocators
from mwe.workloads.inlining import ensure_inlined
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.local_array import (
    one_module_kernel,
    plain_helper,
    plain_helper_kernel,
    shared_kernel,
)
from mwe.workloads.local_array.reproducer import allocator, kernel
from mwe.workloads.subject import N_EARLY_RETURNS, N_THREADS, Subject

BUFFER_SIZE = 5


class _AllocatorFactory(allocator.AllocatorFactory):  # type: ignore[misc,unused-ignore]
    """The reproducer's, for releases as well that need help with ``inline=True`` on a device."""

    def build(self) -> Any:
        """Return the device function ``allocate_buffer()``."""
        return ensure_inlined(super().build())


def _build_across_modules() -> Any:
    return kernel.KernelFactory(_AllocatorFactory(BUFFER_SIZE)).build()


def _expect_ones(n_threads: int) -> Any:
    """Return ones for the active threads, and a zero that nobody is to write."""
    return np.append(np.ones(n_threads, np.float32), np.float32(0))


def local_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload: the allocator in one module, the kernel in another."""
    expected = _expect_ones(n_threads)
    return KernelSubject(_build_across_modules, (allocator, kernel), n_threads, expected)


def one_thread(_n_threads: int = 1) -> Subject:
    """Return the control with a single active thread, whatever a schedule asks for."""
    return local_array(1)


def shared_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose shared array is made in one module, the kernel in another."""

    def build() -> Any:
        block_size = n_threads + N_EARLY_RETURNS
        return shared_kernel.build_kernel(allocators.build_shared_allocator(block_size))

    return KernelSubject(build, (allocators, shared_kernel), n_threads, _expect_ones(n_threads))


def same_module(n_threads: int = N_THREADS) -> Subject:
    """Return the control with allocator and kernel in one module."""
    build = functools.partial(one_module_kernel.build_kernel, BUFFER_SIZE)
    return KernelSubject(build, (one_module_kernel,), n_threads, _expect_ones(n_threads))


def helper_without_cuda(n_threads: int = N_THREADS) -> Subject:
    """Return the control whose helper touches nothing of cuda at run time."""
    build = functools.partial(plain_helper_kernel.build_kernel, BUFFER_SIZE)
    modules = plain_helper, plain_helper_kernel
    return KernelSubject(build, modules, n_threads, _expect_ones(n_threads))
