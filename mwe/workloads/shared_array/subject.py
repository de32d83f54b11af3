"""The subject of the shared array; it is launched and judged like those of the local array."""

from __future__ import annotations

from mwe.workloads.kernel_subject import N_EARLY_RETURNS
from mwe.workloads.local_array.subjects import N_THREADS, LocalArraySubject
from mwe.workloads.shared_array import allocator, kernel
from mwe.workloads.subject import Subject


def shared_array(n_threads: int | None = None) -> Subject:
    """Return the workload: the shared array is made in one module, the kernel in another."""
    block_size = (N_THREADS if n_threads is None else n_threads) + N_EARLY_RETURNS
    return LocalArraySubject(
        lambda: kernel.build_kernel(allocator.build_allocator(block_size)),
        (allocator, kernel),
        n_threads,
    )
