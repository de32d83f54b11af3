"""Kernels that call ``meet()`` in each thread and leave a trace of it."""

from __future__ import annotations

from typing import Any

from numba import cuda


def build_counting_kernel() -> Any:
    """Return ``kernel(output, meet)``, which counts its threads in ``output[0]``."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, meet):  # type: ignore[no-untyped-def]
        meet()
        cuda.atomic.add(output, 0, 1)

    return kernel


def build_index_kernel() -> Any:
    """Return ``kernel(output, meet)``, in which thread i counts in ``output[i]``."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, meet):  # type: ignore[no-untyped-def]
        meet()
        output[cuda.grid(1)] += 1

    return kernel
