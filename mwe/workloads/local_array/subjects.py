"""The subjects of the local-array family and the oracle that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import ensure_inlined
from mwe.workloads.kernel_subject import N_EARLY_RETURNS, KernelSubject, describe_difference
from mwe.workloads.local_array import plain_helper, plain_helper_kernel, same_module
from mwe.workloads.local_array.reproducer import allocator, kernel
from mwe.workloads.subject import GuardedGlobal, Subject

BUFFER_SIZE = 5
# One block: these, and those that return early.
N_THREADS = 12


class LocalArraySubject(KernelSubject):
    """A kernel that writes 1.0 to ``output[:n_threads]`` by way of a local array.

    Parameters
    ----------
    build
        Builds the kernel from fresh factories.
    modules
        The modules whose global `cuda` the simulator swaps.
    n_threads
        Active threads; None for `N_THREADS`.
    """

    def __init__(
        self, build: Callable[[], Any], modules: Sequence[ModuleType], n_threads: int | None
    ) -> None:
        self._build = build
        self.n_threads = N_THREADS if n_threads is None else n_threads
        self.threads_per_block = self.n_threads + N_EARLY_RETURNS
        self.array_size = self.n_threads + 1
        self.user_files = frozenset(str(module.__file__) for module in modules)
        self.guarded_globals = [GuardedGlobal(module, "cuda", cuda) for module in modules]

    def build_kernel(self) -> Any:
        """Build a kernel from fresh factories."""
        return self._build()

    def make_output(self) -> Any:
        """Return zeros, one more than there are active threads."""
        return np.zeros(self.array_size, dtype=np.float32)

    def describe_mismatch(self, output: Any) -> str:
        """Compare with ones for the active threads and zeros for the rest."""
        expected = self.make_output()
        expected[: self.n_threads] = 1.0
        return describe_difference(output, expected)


class _AllocatorFactory(allocator.AllocatorFactory):  # type: ignore[misc,unused-ignore]
    """The reproducer's, for releases as well that need help with ``inline=True`` on a device."""

    def build(self) -> Any:
        """Return the device function ``allocate_buffer()``."""
        return ensure_inlined(super().build())


def _build_across_modules() -> Any:
    return kernel.KernelFactory(_AllocatorFactory(BUFFER_SIZE)).build()


def local_array(n_threads: int | None = None) -> Subject:
    """Return the workload: the allocator in one module, the kernel in another."""
    return LocalArraySubject(_build_across_modules, (allocator, kernel), n_threads)


def one_thread(_n_threads: int | None = None) -> Subject:
    """Return the control with a single active thread, whatever a schedule asks for."""
    return LocalArraySubject(_build_across_modules, (allocator, kernel), n_threads=1)


def same_module_control(n_threads: int | None = None) -> Subject:
    """Return the control with allocator and kernel in one module."""
    return LocalArraySubject(
        lambda: same_module.build_kernel(BUFFER_SIZE), (same_module,), n_threads
    )


def helper_without_cuda(n_threads: int | None = None) -> Subject:
    """Return the control whose helper touches nothing of cuda at run time."""
    return LocalArraySubject(
        lambda: plain_helper_kernel.build_kernel(BUFFER_SIZE),
        (plain_helper, plain_helper_kernel),
        n_threads,
    )
