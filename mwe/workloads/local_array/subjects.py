"""The subjects of the local-array family: each writes 1.0 to ``output[:n_threads]``.

Where a schedule asks for no number of threads, a launch has the geometry of the first reports: 7
of 32 threads are active and 25 return early, so that a failure of one that should have returned
would be seen. A schedule that asks for a number orders so many threads itself; it gets them in one
block, with no more behind them than shows that nobody writes there.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from mwe.compiler.judgement import Footprint
from mwe.workloads import allocators
from mwe.workloads.inlining import ensure_inlined
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.local_array import kernels, plain_helper
from mwe.workloads.local_array.reproducer import allocator, kernel
from mwe.workloads.subject import Dimensions, Subject

BUFFER_SIZE = 5
ARRAY_SIZE = 10
N_ACTIVE = 7
THREADS_PER_BLOCK = 32
# So few that the active threads lie in two blocks, and one block behind them returns early.
THREADS_PER_SMALL_BLOCK = 4
# Of a block of two dimensions. The active threads lie in two rows, whichever way one counts.
THREADS_PER_ROW = 4


class _AllocatorFactory(allocator.AllocatorFactory):  # type: ignore[misc,unused-ignore]
    """The reproducer's, for releases as well that need help with ``inline=True`` on a device."""

    def build(self) -> Any:
        """Return the device function ``allocate_buffer()``."""
        return ensure_inlined(super().build())


class TwoDimensionalSubject(KernelSubject):
    """A launch whose blocks have two dimensions."""

    def lay_out_block(self, n_threads: int) -> Dimensions:
        """Return whole rows, or one column if there are none.

        The simulator starts threads column by column. In one column those with the lowest indices,
        the active ones, come first, and are those that a schedule of two threads orders.
        """
        row = 1 if n_threads % THREADS_PER_ROW else THREADS_PER_ROW
        return row, n_threads // row, 1


def _find_array_size(n_threads: int | None) -> int:
    """Return the elements of the output: one at least that nobody is to write."""
    return ARRAY_SIZE if n_threads is None else n_threads + 1


def _make_subject(
    build: Callable[[], Any],
    n_threads: int | None,
    *modules: ModuleType,
    n_active: int | None = None,
    threads_per_block: int = THREADS_PER_BLOCK,
    make: Callable[..., KernelSubject] = KernelSubject,
    footprint: Footprint = Footprint(local_bytes=4 * BUFFER_SIZE),  # noqa: B008 (frozen)
) -> Subject:
    """Return a subject for as many active threads as a schedule asks for, or for all others.

    `n_active` is for controls, which have so many whatever a schedule asks for.
    """
    if n_active is None:
        n_active = N_ACTIVE if n_threads is None else n_threads
    expected = np.zeros(_find_array_size(n_threads), np.float32)
    expected[:n_active] = 1.0
    subject = make(build, modules, n_active, expected, footprint)
    if n_threads is None:
        subject.threads_per_block = threads_per_block
        subject.n_blocks = -(-ARRAY_SIZE // threads_per_block)
    return subject


def _build_reproducer() -> Any:
    return kernel.KernelFactory(_AllocatorFactory(BUFFER_SIZE)).build()


def local_array(n_threads: int | None = None) -> Subject:
    """Return the workload: the allocator in one module, the kernel in another."""
    return _make_subject(_build_reproducer, n_threads, allocator, kernel)


def local_array_2d(n_threads: int | None = None) -> Subject:
    """Return the same in blocks of two dimensions, as the first reports had them."""

    def build() -> Any:
        return kernels.build_2d_kernel(_AllocatorFactory(BUFFER_SIZE).build())

    return _make_subject(build, n_threads, allocator, kernels, make=TwoDimensionalSubject)


def local_array_blocks(n_threads: int | None = None) -> Subject:
    """Return the same in several blocks, which the simulator runs one after another."""
    return _make_subject(
        _build_reproducer,
        n_threads,
        allocator,
        kernel,
        threads_per_block=THREADS_PER_SMALL_BLOCK,
    )


def one_thread(n_threads: int | None = None) -> Subject:
    """Return the control with a single active thread, whatever a schedule asks for."""
    return _make_subject(_build_reproducer, n_threads, allocator, kernel, n_active=1)


def no_threads(n_threads: int | None = None) -> Subject:
    """Return the control whose threads all return early, whatever a schedule asks for."""
    return _make_subject(_build_reproducer, n_threads, allocator, kernel, n_active=0)


def shared_array(n_threads: int | None = None) -> Subject:
    """Return the workload whose shared array is made in one module, the kernel in another."""

    def build() -> Any:
        allocate_shared = allocators.build_shared_allocator(_find_array_size(n_threads))
        return kernels.build_shared_kernel(allocate_shared)

    footprint = Footprint(shared_bytes=4 * _find_array_size(n_threads))
    return _make_subject(build, n_threads, allocators, kernels, footprint=footprint)


def same_module(n_threads: int | None = None) -> Subject:
    """Return the control with allocator and kernel in one module."""
    return _make_subject(lambda: kernels.build_same_module_kernel(BUFFER_SIZE), n_threads, kernels)


def helper_without_cuda(n_threads: int | None = None) -> Subject:
    """Return the control whose helper touches nothing of cuda at run time."""

    def build() -> Any:
        return kernels.build_plain_helper_kernel(plain_helper.build_fill(), BUFFER_SIZE)

    return _make_subject(build, n_threads, plain_helper, kernels)
