"""The subjects of the buffer registry: kernels that write and read back three buffers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from mwe.compiler.judgement import Footprint
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.registry import allocators, kernels
from mwe.workloads.registry.buffers import CUDABuffer, Location
from mwe.workloads.registry.registry import buffer_registry
from mwe.workloads.subject import N_THREADS, Subject

LOCAL_PLAN = (
    CUDABuffer(name="state", size=4, location=Location.LOCAL),
    CUDABuffer(name="work", size=3, location=Location.LOCAL, precision=np.float64),
    # The state is an array of its own allocator's, so this one is not a slice of it.
    CUDABuffer(name="scratch", size=2, location=Location.LOCAL, aliases="state"),
)
SHARED_PLAN = (
    CUDABuffer(name="state", size=4, location=Location.SHARED),
    # A slice, although it lies elsewhere by its own settings, and a slice of that.
    CUDABuffer(name="work", size=3, location=Location.LOCAL, aliases="state"),
    CUDABuffer(name="scratch", size=2, location=Location.SHARED, aliases="work"),
)
MIXED_PLAN = (
    CUDABuffer(name="state", size=4, location=Location.SHARED),
    # Neither is a slice of the state: one is too long, the other is of another precision.
    CUDABuffer(name="work", size=5, location=Location.LOCAL, persistent=True, aliases="state"),
    CUDABuffer(
        name="scratch", size=2, location=Location.LOCAL, aliases="state", precision=np.float64
    ),
)
PERSISTENT_PLAN = (
    CUDABuffer(name="state", size=4, location=Location.LOCAL, persistent=True),
    # Neither is a slice of the state: it lies in no memory that threads share, and is too short.
    CUDABuffer(name="work", size=3, location=Location.SHARED, aliases="state"),
    CUDABuffer(name="scratch", size=5, location=Location.LOCAL, persistent=True, aliases="state"),
)


class RegistrySubject(KernelSubject):
    """A kernel that writes and reads back every element of three buffers.

    What it must read is computed without the registry's layouts, which the oracle judges as well.
    The output has five rows for each thread: the buffers, and the guards behind the shared and the
    persistent array. A thread that returns leaves them zero.

    Parameters
    ----------
    plan
        The buffers.
    build
        One of the builders in `kernels`.
    n_threads
        Active threads.
    n_guards
        Guards behind each of the arrays that buffers are cut from.
    slices
        Which buffer must be a slice of which other, and begin with its first element, by names.
    """

    def __init__(
        self,
        plan: Sequence[CUDABuffer],
        build: Callable[..., Any],
        n_threads: int,
        *,
        n_guards: int = kernels.N_GUARDS,
        slices: Mapping[str, str] | None = None,
    ) -> None:
        contents = _compute_contents(plan, slices or {})
        rows = np.zeros((5, max(n_guards, *(buffer.size for buffer in plan))))
        for row, content in zip(rows, contents, strict=False):
            row[: content.size] = content
        rows[3:, rows.shape[1] - n_guards :] = kernels.GUARD
        expected = np.stack([*[rows] * n_threads, np.zeros_like(rows)])
        super().__init__(build, (allocators, kernels), n_threads, expected)
        self._plan = plan
        self._n_guards = n_guards

    def find_footprint(self) -> Footprint:
        """Return the shared array, and what the buffers and the persistent array have at most."""
        shared_size, persistent_size = self.lay_out()
        has_arrays = self._n_guards > 0
        own = [buffer.size * np.dtype(buffer.precision).itemsize for buffer in self._plan]
        part_bytes, own_bytes = (
            4 * (size + self._n_guards) for size in (shared_size, persistent_size)
        )
        return Footprint(
            shared_bytes=self.threads_per_block * part_bytes if has_arrays else 0,
            local_bytes=sum(own) + own_bytes,
        )

    def lay_out(self) -> tuple[int, int]:
        """Register the buffers anew; return elements of shared and of persistent array."""
        buffer_registry.clear_parent(self)
        for buffer in self._plan:
            buffer_registry.register(self, **vars(buffer))
        return (
            buffer_registry.shared_buffer_size(self),
            buffer_registry.persistent_local_buffer_size(self),
        )

    def build_kernel(self) -> Any:
        """Build a kernel around fresh allocators."""
        shared_size, persistent_size = self.lay_out()
        return self._build(
            [buffer_registry.get_allocator(self, buffer.name) for buffer in self._plan],
            [buffer.size for buffer in self._plan],
            block_size=self.threads_per_block,
            shared_size=shared_size,
            persistent_size=persistent_size,
        )


def _compute_contents(plan: Sequence[CUDABuffer], slices: Mapping[str, str]) -> list[Any]:
    """Return what each buffer holds once all are written, the later ones last."""
    arrays: dict[str, Any] = {}
    for buffer, first_value in zip(plan, kernels.FIRST_VALUES, strict=True):
        if buffer.name in slices:
            array = arrays[slices[buffer.name]][: buffer.size]
        else:
            array = np.empty(buffer.size, buffer.precision)
        array[:] = first_value + np.arange(buffer.size)
        arrays[buffer.name] = array
    return list(arrays.values())


def registry_local(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose allocators call ``cuda.local.array``."""
    return RegistrySubject(LOCAL_PLAN, kernels.build_local_kernel, n_threads, n_guards=0)


def registry_shared(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose helper calls ``cuda.shared.array``."""
    build = kernels.build_helper_shared_kernel
    slices = {"work": "state", "scratch": "work"}
    return RegistrySubject(SHARED_PLAN, build, n_threads, slices=slices)


def registry_mixed(n_threads: int = N_THREADS) -> Subject:
    """Return the workload that does both, with a persistent buffer beside."""
    return RegistrySubject(MIXED_PLAN, kernels.build_helper_shared_kernel, n_threads)


def registry_persistent(n_threads: int = N_THREADS) -> Subject:
    """Return the control: slices of a persistent and a shared array of the kernel's own."""
    return RegistrySubject(PERSISTENT_PLAN, kernels.build_own_arrays_kernel, n_threads)
