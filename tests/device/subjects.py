"""Subjects with planted faults on a device: an endless kernel, and a write far outside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.kernel_subject import KernelSubject, describe_difference
from tests.device.loading import BAD_LAUNCH


class FaultySubject(KernelSubject):
    """Writes 1.0 to each element; one launch of its process has a fault instead.

    Parameters
    ----------
    fault
        ``hang``, ``far-write`` or ``none``.
    """

    n_threads = 12
    threads_per_block = 14
    guarded_globals = ()
    user_files = frozenset({__file__})

    def __init__(self, fault: str) -> None:
        self._build_faulty = FAULTS[fault]
        self._faulty: Any = None
        self._n_launched = 0

    def build_kernel(self) -> Any:
        """Build both kernels, and compile the faulty one outside of the trials, too."""
        if self._faulty is None:
            self._faulty = self._build_faulty()
            self.compile_kernel(self._faulty)
        return build_sound()

    def make_output(self) -> Any:
        """Return zeros."""
        return np.zeros(self.n_threads, np.float32)

    def launch(self, kernel: Any, shape: Any = None) -> Any:
        """Launch the sound kernel, once the faulty one."""
        self._n_launched += 1
        is_bad = self._n_launched == BAD_LAUNCH
        return super().launch(self._faulty if is_bad else kernel, shape)

    def describe_mismatch(self, output: Any) -> str:
        """Expect ones."""
        return describe_difference(output, np.ones(self.n_threads, np.float32))


def build_sound() -> Any:
    """Return a kernel that does what it should."""

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i < n_threads:
            output[i] = 1.0

    return cuda.jit(kernel)


def build_endless() -> Any:
    """Return a kernel that never ends: an atomic operation that the compiler cannot leave out."""

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i < n_threads:
            while cuda.atomic.max(output, i, 0.0) < 1.0:
                pass

    return cuda.jit(kernel)


def build_far_writer() -> Any:
    """Return a kernel that writes a tebibyte behind its array, which no allocation reaches."""

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i < n_threads:
            output[i + (1 << 38)] = 1.0

    return cuda.jit(kernel)


FAULTS = {"hang": build_endless, "far-write": build_far_writer, "none": build_sound}
