"""The subjects of the shared-split family: threads read what their neighbours wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mwe.compiler.judgement import Footprint
from mwe.workloads import allocators
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.shared_split import kernels
from mwe.workloads.subject import N_THREADS, LaunchShape, Subject

# Far below 2**24, up to which float32 has every integer.
N_NUMBERS = 2**20


class SharedSubject(KernelSubject):
    """Threads put numbers into shared arrays, which others read.

    New arrays may lie where those of an earlier launch did and hold its numbers, so each launch has
    numbers of its own. The output counts from the first of them: element i is the index of
    the thread whose number thread i has read.
    """

    def __init__(
        self, build: Callable[[], Any], n_threads: int, distance: int = 1, n_arrays: int = 1
    ) -> None:
        row = np.zeros(n_threads + 1, np.float32)  # the last one nobody is to write
        row[:n_threads] = (np.arange(n_threads) + distance) % n_threads
        expected = row if n_arrays == 1 else np.stack([row] * n_arrays)
        footprint = Footprint(shared_bytes=4 * n_threads * n_arrays)
        super().__init__(build, [kernels, allocators], n_threads, expected, footprint)
        self._first = 0

    def make_arguments(self) -> Sequence[Any]:
        """Return an output, a number of threads, and the first of the numbers."""
        return *super().make_arguments(), self._first

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> Any:
        """Launch one block, wait for it, and return its output; it knows no other shape."""
        del shape
        self._first = (self._first + self.n_threads) % N_NUMBERS
        output = self.make_output()
        kernel[self.find_grid()](output, self.n_threads, self._first)
        output[..., : self.n_threads] -= self._first
        return output


def shared_split(n_threads: int = N_THREADS) -> Subject:
    """Return the workload with one shared array, which the kernel allocates."""
    return SharedSubject(lambda: kernels.build_kernel(n_threads, 1), n_threads)


def shared_split_helper(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose shared array a device function of another module allocates."""

    def build() -> Any:
        return kernels.build_helper_kernel(allocators.build_shared_allocator(n_threads))

    return SharedSubject(build, n_threads)


def shared_split_several(n_threads: int = N_THREADS) -> Subject:
    """Return the workload with two shared arrays."""
    return SharedSubject(lambda: kernels.build_several_kernel(n_threads), n_threads, n_arrays=2)


def shared_split_one_thread(_n_threads: int = 1) -> Subject:
    """Return the control with a single active thread, whatever a schedule asks for."""
    return shared_split(1)


def shared_split_own_element(n_threads: int = N_THREADS) -> Subject:
    """Return the control whose threads read their own elements only."""
    return SharedSubject(lambda: kernels.build_kernel(n_threads, 0), n_threads, distance=0)
