"""The subjects of the buffer registry: kernels that write and read back three buffers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.registry import allocators, kernels
from mwe.workloads.registry.buffers import CUDABuffer, Location
from mwe.workloads.registry.registry import BufferRegistry
from mwe.workloads.subject import N_THREADS, Subject

LOCAL_PLAN = (
    CUDABuffer(name="state", size=4, location=Location.LOCAL),
    CUDABuffer(name="work", size=3, location=Location.LOCAL),
    # The state is an array of its own allocator's, so this one is not a slice of it.
    CUDABuffer(name="scratch", size=2, location=Location.LOCAL, aliases="state"),
)
SHARED_PLAN = tuple(replace(buffer, location=Location.SHARED) for buffer in LOCAL_PLAN)
MIXED_PLAN = (
    CUDABuffer(name="state", size=4, location=Location.SHARED),
    CUDABuffer(name="work", size=3, location=Location.LOCAL, persistent=True),
    CUDABuffer(name="scratch", size=2, location=Location.LOCAL),
)
PERSISTENT_PLAN = (
    CUDABuffer(name="state", size=4, location=Location.LOCAL, persistent=True),
    CUDABuffer(name="work", size=3, location=Location.SHARED),
    replace(LOCAL_PLAN[2], persistent=True),
)


class RegistrySubject(KernelSubject):
    """A kernel that writes and reads back every element of three buffers.

    The third buffer of the plan overlaps the first if it is a slice of it: its values, which are
    written last, are then read from the front of the first one, too.
    """

    def __init__(
        self,
        plan: Sequence[CUDABuffer],
        build: Callable[..., Any],  # one of those in `kernels`
        n_threads: int,
        *,
        overlaps: bool = False,
    ) -> None:
        values = [
            first + np.arange(buffer.size, dtype=np.float32)
            for first, buffer in zip(kernels.FIRST_VALUES, plan, strict=True)
        ]
        if overlaps:
            values[0][: plan[2].size] = values[2]
        # A row for what each thread reads, and one of zeros for a thread that returns.
        row = np.concatenate(values)
        expected = np.vstack([np.tile(row, (n_threads, 1)), np.zeros_like(row)])
        super().__init__(build, (allocators, kernels), n_threads, expected)
        self._plan = plan

    def lay_out(self) -> tuple[BufferRegistry, int, int]:
        """Return a registry with the buffers, and elements of shared and persistent array."""
        registry = BufferRegistry()
        for buffer in self._plan:
            registry.register(self, **vars(buffer))
        return (
            registry,
            registry.shared_buffer_size(self),
            registry.persistent_local_buffer_size(self),
        )

    def build_kernel(self) -> Any:
        """Build a kernel around fresh allocators."""
        registry, shared_size, persistent_size = self.lay_out()
        return self._build(
            [registry.get_allocator(self, buffer.name) for buffer in self._plan],
            [buffer.size for buffer in self._plan],
            block_size=self.threads_per_block,
            shared_size=shared_size,
            # A local array has at least one element.
            persistent_size=max(1, persistent_size),
        )


def registry_local(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose allocators call ``cuda.local.array``."""
    return RegistrySubject(LOCAL_PLAN, kernels.build_local_kernel, n_threads)


def registry_shared(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose helper calls ``cuda.shared.array``."""
    build = kernels.build_helper_shared_kernel
    return RegistrySubject(SHARED_PLAN, build, n_threads, overlaps=True)


def registry_mixed(n_threads: int = N_THREADS) -> Subject:
    """Return the workload that does both, with a persistent buffer beside."""
    return RegistrySubject(MIXED_PLAN, kernels.build_helper_shared_kernel, n_threads)


def registry_persistent(n_threads: int = N_THREADS) -> Subject:
    """Return the control: slices of a persistent and a shared array of the kernel's own."""
    build = kernels.build_own_arrays_kernel
    return RegistrySubject(PERSISTENT_PLAN, build, n_threads, overlaps=True)
