"""The subjects of the buffer registry and the oracle that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.kernel_subject import N_EARLY_RETURNS, KernelSubject, describe_difference
from mwe.workloads.registry import allocators, kernels
from mwe.workloads.registry.kernels import FIRST_VALUES
from mwe.workloads.registry.registry import BufferRegistry
from mwe.workloads.subject import GuardedGlobal, Subject

# One block, as in the local-array family.
N_THREADS = 12


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A buffer to register, and of how many of its elements the first buffer is overwritten."""

    name: str
    size: int
    location: str
    persistent: bool = False
    aliases: str | None = None


LOCAL_PLAN = (
    Plan(name="state", size=4, location="local"),
    Plan(name="work", size=3, location="local"),
    # The state is an array of its own allocator's, so this one is not a slice of it.
    Plan(name="scratch", size=2, location="local", aliases="state"),
)
SHARED_PLAN = (
    Plan(name="state", size=4, location="shared"),
    Plan(name="work", size=3, location="shared"),
    Plan(name="scratch", size=2, location="shared", aliases="state"),
)
MIXED_PLAN = (
    Plan(name="state", size=4, location="shared"),
    Plan(name="work", size=3, location="local", persistent=True),
    Plan(name="scratch", size=2, location="local"),
)
PERSISTENT_PLAN = (
    Plan(name="state", size=4, location="local", persistent=True),
    Plan(name="work", size=3, location="shared"),
    Plan(name="scratch", size=2, location="local", persistent=True, aliases="state"),
)

# Builds a kernel from allocators, sizes, the subject, and what the layouts need a thread.
BuildKernel = Callable[[Sequence[Any], Sequence[int], "RegistrySubject", int, int], Any]


class RegistrySubject(KernelSubject):
    """A kernel that writes and reads back every element of three buffers.

    Parameters
    ----------
    plan
        The three buffers.
    build
        Builds the kernel.
    n_overlapping
        Elements at the front of the first buffer that the third one is a slice of.
    n_threads
        Active threads; None for `N_THREADS`.
    """

    def __init__(
        self, plan: Sequence[Plan], build: BuildKernel, n_overlapping: int, n_threads: int | None
    ) -> None:
        self._plan = plan
        self._build = build
        self._n_overlapping = n_overlapping
        self.n_threads = N_THREADS if n_threads is None else n_threads
        self.threads_per_block = self.n_threads + N_EARLY_RETURNS
        self.user_files = frozenset(str(each.__file__) for each in (allocators, kernels))
        self.guarded_globals = [GuardedGlobal(each, "cuda", cuda) for each in (allocators, kernels)]

    def lay_out(self) -> tuple[BufferRegistry, int, int]:
        """Return a registry with the buffers, and elements of shared and persistent array."""
        registry = BufferRegistry()
        for each in self._plan:
            registry.register(
                self,
                each.name,
                each.size,
                each.location,
                persistent=each.persistent,
                aliases=each.aliases,
            )
        return (
            registry,
            registry.shared_buffer_size(self),
            registry.persistent_local_buffer_size(self),
        )

    def build_kernel(self) -> Any:
        """Build a kernel around fresh allocators."""
        registry, shared_size, persistent_size = self.lay_out()
        made = [registry.get_allocator(self, each.name) for each in self._plan]
        sizes = [each.size for each in self._plan]
        # A local array has at least one element.
        return self._build(made, sizes, self, shared_size, max(1, persistent_size))

    def make_output(self) -> Any:
        """Return zeros, a row for what each thread reads, and one for a thread that returns."""
        n_elements = sum(each.size for each in self._plan)
        return np.zeros((self.n_threads + 1, n_elements), dtype=np.float32)

    def describe_mismatch(self, output: Any) -> str:
        """Compare with what each buffer was given; the row of the thread that returned is zero."""
        values = [
            first + np.arange(each.size, dtype=np.float32)
            for first, each in zip(FIRST_VALUES, self._plan, strict=True)
        ]
        values[0][: self._n_overlapping] = values[2][: self._n_overlapping]
        expected = np.zeros_like(output)
        expected[: self.n_threads] = np.concatenate(values)
        return describe_difference(output, expected)


def _build_local(
    made: Sequence[Any], sizes: Sequence[int], _subject: RegistrySubject, _shared: int, _own: int
) -> Any:
    return kernels.build_local_kernel(made, sizes)


def _build_helper_shared(
    made: Sequence[Any], sizes: Sequence[int], subject: RegistrySubject, shared: int, own: int
) -> Any:
    take_shared = allocators.build_shared_taker(subject.threads_per_block * shared)
    return kernels.build_helper_shared_kernel(made, sizes, take_shared, shared, own)


def _build_own_arrays(
    made: Sequence[Any], sizes: Sequence[int], subject: RegistrySubject, shared: int, own: int
) -> Any:
    return kernels.build_own_arrays_kernel(made, sizes, subject.threads_per_block, shared, own)


def registry_local(n_threads: int | None = None) -> Subject:
    """Return the workload whose allocators call ``cuda.local.array``."""
    return RegistrySubject(LOCAL_PLAN, _build_local, 0, n_threads)


def registry_shared(n_threads: int | None = None) -> Subject:
    """Return the workload whose helper calls ``cuda.shared.array``."""
    return RegistrySubject(SHARED_PLAN, _build_helper_shared, 2, n_threads)


def registry_mixed(n_threads: int | None = None) -> Subject:
    """Return the workload that does both, with a persistent buffer beside."""
    return RegistrySubject(MIXED_PLAN, _build_helper_shared, 0, n_threads)


def registry_persistent(n_threads: int | None = None) -> Subject:
    """Return the control: slices of a persistent and a shared array of the kernel's own."""
    return RegistrySubject(PERSISTENT_PLAN, _build_own_arrays, 2, n_threads)
