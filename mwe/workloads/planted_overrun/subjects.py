"""The subject of the planted overrun: its array ends where the kernel writes once more."""

from __future__ import annotations

import numpy as np

from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.planted_overrun import kernel
from mwe.workloads.subject import N_THREADS, Subject


def planted_overrun(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control: ones for all, and one more behind the last element."""
    expected = np.ones(n_threads, np.float32)
    return KernelSubject(kernel.build_kernel, (kernel,), n_threads, expected)
