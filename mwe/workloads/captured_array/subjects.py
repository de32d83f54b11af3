"""The subjects of the captured arrays: one reads backwards, one by steps, one as it lies."""

from __future__ import annotations

from typing import Any

import numpy as np

from mwe.workloads.captured_array import kernels
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.subject import N_THREADS, Subject


def _make_subject(values: Any) -> Subject:
    expected = np.append(values, 0)  # the last one nobody is to write
    return KernelSubject(lambda: kernels.build_kernel(values), [kernels], len(values), expected)


def captured_reversed_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload that captures ``[n, ..., 2, 1]``, a view with a negative stride."""
    return _make_subject(np.arange(1, n_threads + 1)[::-1])


def captured_strided_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload that captures every second element, a view with a stride of two."""
    return _make_subject(np.arange(1, 2 * n_threads + 1)[::2])


def captured_array(n_threads: int = N_THREADS) -> Subject:
    """Return the control that captures the same numbers as an array of its own."""
    return _make_subject(np.arange(1, n_threads + 1)[::-1].copy())
