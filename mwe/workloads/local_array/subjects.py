"""The subjects of the local-array family and the oracle that they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numba import config, cuda

from mwe.workloads.local_array import plain_helper, plain_helper_kernel, same_module
from mwe.workloads.local_array.reproducer import allocator, kernel
from mwe.workloads.subject import GuardedGlobal, Subject

BUFFER_SIZE = 5
# One block of fourteen threads: twelve are active, the next has index n_threads exactly, and both
# it and the last return early. Under delay injection 12 active threads fail in 96-99 % of trials
# at the cost of 8, which fail in 92-93 %.
ARRAY_SIZE = 13
N_THREADS = 12
THREADS_PER_BLOCK = 14


class LocalArraySubject(Subject):
    """A kernel that writes 1.0 to ``output[:n_threads]`` by way of a local array.

    Parameters
    ----------
    build
        Builds the kernel from fresh factories.
    modules
        The modules whose global `cuda` the simulator swaps.
    n_threads
        Active threads, at most `ARRAY_SIZE`.
    """

    threads_per_block = THREADS_PER_BLOCK

    def __init__(
        self, build: Callable[[], Any], modules: Sequence[ModuleType], n_threads: int = N_THREADS
    ) -> None:
        self._build = build
        self.n_threads = n_threads
        self.guarded_globals = [GuardedGlobal(module, "cuda", cuda) for module in modules]

    def build_kernel(self) -> Any:
        """Build a kernel from fresh factories."""
        return self._build()

    def launch(self, kernel: Any) -> Any:
        """Launch one grid that covers the output, wait for it, and return the output."""
        output = np.zeros(ARRAY_SIZE, dtype=np.float32)
        n_blocks = -(-ARRAY_SIZE // self.threads_per_block)
        kernel[n_blocks, self.threads_per_block](output, self.n_threads)
        if not config.ENABLE_CUDASIM:
            cuda.synchronize()
        return output

    def describe_mismatch(self, output: Any) -> str:
        """Compare with ones for the active threads and zeros for the rest."""
        expected = np.zeros(ARRAY_SIZE, dtype=np.float32)
        expected[: self.n_threads] = 1.0
        wrong = np.flatnonzero(output != expected)
        if not wrong.size:
            return ""
        i = int(wrong[0])
        return f"output[{i}] is {output[i]}, expected {expected[i]} ({wrong.size} elements differ)"


def _build_across_modules() -> Any:
    return kernel.KernelFactory(allocator.AllocatorFactory(BUFFER_SIZE)).build()


def local_array() -> Subject:
    """Return the workload: the allocator in one module, the kernel in another."""
    return LocalArraySubject(_build_across_modules, (allocator, kernel))


def one_thread() -> Subject:
    """Return the control with a single active thread."""
    return LocalArraySubject(_build_across_modules, (allocator, kernel), n_threads=1)


def same_module_control() -> Subject:
    """Return the control with allocator and kernel in one module."""
    return LocalArraySubject(lambda: same_module.build_kernel(BUFFER_SIZE), (same_module,))


def helper_without_cuda() -> Subject:
    """Return the control whose helper touches nothing of cuda at run time."""
    return LocalArraySubject(
        lambda: plain_helper_kernel.build_kernel(BUFFER_SIZE), (plain_helper, plain_helper_kernel)
    )
