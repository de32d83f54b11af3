"""The subjects of the mixed-atomics family, and what each comes to in whatever order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.mixed_atomics import kernels
from mwe.workloads.subject import N_THREADS, Subject


def _make_subject(
    build: Callable[[], Any], n_threads: int, *expected: int, dtype: type = np.int64
) -> Subject:
    return KernelSubject(build, [kernels], n_threads, np.array(expected, dtype))


def count_kinds(n_threads: int) -> tuple[int, int]:
    """Return how many threads use the first kind, and how many the second."""
    n_second = n_threads // 2
    return n_threads - n_second, n_second


def atomics_add_sub(n_threads: int = N_THREADS) -> Subject:
    """Return the workload in which a threads add n each, and b subtract 1 each: a n - b.

    If x of the adds and y of the subtractions are lost, x n - y is missing. With y <= b < n that
    is 0 only if x = y = 0: losses never cancel out.
    """
    n_adds, n_subs = count_kinds(n_threads)
    return _make_subject(kernels.build_add_sub, n_threads, n_adds * n_threads - n_subs)


def atomics_add_max(n_threads: int = N_THREADS) -> Subject:
    """Return the workload in which a threads add 1 each, and the others take max(element, -1): a.

    The element is never below 0, so that the maximum leaves it as it is, in whatever order. A
    maximum that reads before an addition and writes behind it takes the addition back.
    """
    n_adds, _ = count_kinds(n_threads)
    return _make_subject(kernels.build_add_max, n_threads, n_adds)


def atomics_add_inc(n_threads: int = N_THREADS) -> Subject:
    """Return the workload in which a threads add n each, and b count by 1 each: a n + b.

    The limit at which counting begins anew is never reached, and what is lost never adds up to 0.
    The element is unsigned, as a device needs it for this kind.
    """
    n_adds, n_incs = count_kinds(n_threads)
    total = n_adds * n_threads + n_incs
    return _make_subject(kernels.build_add_inc, n_threads, total, dtype=np.uint32)


def atomics_one_kind(n_threads: int = N_THREADS) -> Subject:
    """Return the control in which n threads add 1 each: n."""
    return _make_subject(kernels.build_add, n_threads, n_threads)


def atomics_one_thread(_n_threads: int = 1) -> Subject:
    """Return the control with a single active thread, whatever a schedule asks for: 1."""
    return atomics_add_sub(1)


def atomics_different_elements(n_threads: int = N_THREADS) -> Subject:
    """Return the control in which a threads add 1 to one element, b subtract 1 from another."""
    n_adds, n_subs = count_kinds(n_threads)
    return _make_subject(kernels.build_different_elements, n_threads, n_adds, -n_subs)
