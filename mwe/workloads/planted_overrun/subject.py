"""The subject of the planted overrun: its array ends where the kernel writes once more."""

from __future__ import annotations

from typing import Any

import numpy as np

from mwe.workloads.kernel_subject import N_EARLY_RETURNS, KernelSubject, describe_difference
from mwe.workloads.planted_overrun import kernel
from mwe.workloads.subject import Subject

N_THREADS = 12


class OverrunSubject(KernelSubject):
    """A kernel that writes 1.0 to each element, and to the one behind the last."""

    def __init__(self, n_threads: int | None) -> None:
        self.n_threads = N_THREADS if n_threads is None else n_threads
        self.threads_per_block = self.n_threads + N_EARLY_RETURNS
        self.user_files = frozenset({str(kernel.__file__)})
        self.guarded_globals = ()

    def build_kernel(self) -> Any:
        """Build the kernel."""
        return kernel.build_kernel()

    def make_output(self) -> Any:
        """Return zeros, one for each active thread."""
        return np.zeros(self.n_threads, dtype=np.float32)

    def describe_mismatch(self, output: Any) -> str:
        """Compare with ones."""
        return describe_difference(output, np.ones(self.n_threads, dtype=np.float32))


def planted_overrun(n_threads: int | None = None) -> Subject:
    """Return the positive control."""
    return OverrunSubject(n_threads)
