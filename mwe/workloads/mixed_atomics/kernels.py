"""Kernels ``kernel(output, n_threads)`` whose threads change one element by atomics.

Threads with an even index use the first kind, those with an odd one the second; a thread from
`n_threads` on returns early.
"""

from typing import Any

from numba import cuda

# More than `cuda.atomic.inc` counts to here; behind it, it would begin at 0 again.
LIMIT = 2**31 - 1


def build_add_sub() -> Any:
    """Return the kernel that adds `n_threads` and subtracts 1."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i >= n_threads:
            return
        if i % 2 == 0:
            cuda.atomic.add(output, 0, n_threads)
        else:
            cuda.atomic.sub(output, 0, 1)

    return kernel


def build_add_max() -> Any:
    """Return the kernel that adds 1, and takes the maximum with -1."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i >= n_threads:
            return
        if i % 2 == 0:
            cuda.atomic.add(output, 0, 1)
        else:
            cuda.atomic.max(output, 0, -1)

    return kernel


def build_add_inc() -> Any:
    """Return the kernel that adds `n_threads`, and counts."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i >= n_threads:
            return
        if i % 2 == 0:
            cuda.atomic.add(output, 0, n_threads)
        else:
            cuda.atomic.inc(output, 0, LIMIT)

    return kernel


def build_add() -> Any:
    """Control: all threads add 1."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i < n_threads:
            cuda.atomic.add(output, 0, 1)

    return kernel


def build_different_elements() -> Any:
    """Control: threads add 1 to one element, and subtract 1 from another."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.threadIdx.x
        if i >= n_threads:
            return
        if i % 2 == 0:
            cuda.atomic.add(output, 0, 1)
        else:
            cuda.atomic.sub(output, 1, 1)

    return kernel
