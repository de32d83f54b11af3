"""The subjects of the returned arrays: device functions that return one, inlined or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mwe.compiler.judgement import Footprint
from mwe.workloads.kernel_subject import KernelSubject
from mwe.workloads.returned_array import kernels
from mwe.workloads.subject import N_THREADS, Subject

_LOCAL = Footprint(local_bytes=8 * kernels.N_ELEMENTS, keeps_local=True)


def _make_subject(
    build: Callable[[], Any], n_threads: int, footprint: Footprint = _LOCAL
) -> Subject:
    expected = np.zeros(n_threads + 1, np.int64)  # the last one nobody is to write
    expected[:n_threads] = np.arange(n_threads) % kernels.N_ELEMENTS
    return KernelSubject(build, [kernels], n_threads, expected, footprint)


def returned_local_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose device function, inlined, returns a local array."""

    def build() -> Any:
        return kernels.build_local_kernel(kernels.build_local_allocator(inline=True))

    return _make_subject(build, n_threads)


def returned_shared_array(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose device function, inlined, returns a shared array."""

    def build() -> Any:
        allocate = kernels.build_shared_allocator(n_threads, inline=True)
        return kernels.build_shared_kernel(allocate)

    return _make_subject(build, n_threads, Footprint(shared_bytes=8 * n_threads))


def returned_argument(n_threads: int = N_THREADS) -> Subject:
    """Return the control whose device function returns the array that it is given."""
    return _make_subject(lambda: kernels.build_given_kernel(kernels.build_passer()), n_threads)


def returned_without_inline(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control, which nobody asks to inline and every release refuses."""

    def build() -> Any:
        return kernels.build_local_kernel(kernels.build_local_allocator())

    return _make_subject(build, n_threads)
