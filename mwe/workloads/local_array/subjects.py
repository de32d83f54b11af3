"""The subjects of the local-array family: each writes 1.0 to ``output[:n_threads]``."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from mwe.workloads import allocators
from mwe.workloads.inlining import ensure_inlined
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.local_array import kernels, plain_helper
from mwe.workloads.local_array.reproducer import allocator, kernel
from mwe.workloads.subject import N_EARLY_RETURNS, N_THREADS, Subject

BUFFER_SIZE = 5


class _AllocatorFactory(allocator.AllocatorFactory):  # type: ignore[misc,unused-ignore]
    """The reproducer's, for releases as well that need help with ``inline=True`` on a device."""

    def build(self) -> Any:
        """Return the device function ``allocate_buffer()``."""
        return ensure_inlined(super().build())


def _make_subject(build: Callable[[], Any], n_threads: int, *modules: ModuleType) -> Subject:
    # Behind the ones of the active threads, a zero that nobody is to write.
    expected = np.append(np.ones(n_threads, np.float32), np.float32(0))
    return KernelSubject(build, modules, n_threads, expected)


def local_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload: the allocator in one module, the kernel in another."""

    def build() -> Any:
        return kernel.KernelFactory(_AllocatorFactory(BUFFER_SIZE)).build()

    return _make_subject(build, n_threads, allocator, kernel)


def one_thread(_n_threads: int = 1) -> Subject:
    """Return the control with a single active thread, whatever a schedule asks for."""
    return local_array(1)


def shared_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose shared array is made in one module, the kernel in another."""

    def build() -> Any:
        block_size = n_threads + N_EARLY_RETURNS
        return kernels.build_shared_kernel(allocators.build_shared_allocator(block_size))

    return _make_subject(build, n_threads, allocators, kernels)


def same_module(n_threads: int = N_THREADS) -> Subject:
    """Return the control with allocator and kernel in one module."""
    return _make_subject(lambda: kernels.build_same_module_kernel(BUFFER_SIZE), n_threads, kernels)


def helper_without_cuda(n_threads: int = N_THREADS) -> Subject:
    """Return the control whose helper touches nothing of cuda at run time."""

    def build() -> Any:
        return kernels.build_plain_helper_kernel(plain_helper.build_fill(), BUFFER_SIZE)

    return _make_subject(build, n_threads, plain_helper, kernels)
