"""Kernels of a chunk, a thread a run: output is twice the input plus the column's number.

The first thread leaves the number of the chunk's runs as the chunk's status.
"""

from __future__ import annotations

from typing import Any

from numba import cuda


def build_local_kernel(allocate_work: Any, run_shape: tuple[int, int]) -> Any:
    """Return a kernel whose working array comes from a helper in another module."""
    n_rows, n_columns = run_shape

    def kernel(outputs, inputs, status_codes, chunk, n_active):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_active:
            return
        if i == 0:
            status_codes[chunk] = n_active
        work = allocate_work()
        for row in range(n_rows):
            for column in range(n_columns):
                work[column] = 2 * inputs[row, column, i]
            for column in range(n_columns):
                outputs[row, column, i] = work[column] + column

    return cuda.jit(kernel)


def build_plain_kernel(run_shape: tuple[int, int]) -> Any:
    """Return a kernel that does the same without a helper."""
    n_rows, n_columns = run_shape

    def kernel(outputs, inputs, status_codes, chunk, n_active):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_active:
            return
        if i == 0:
            status_codes[chunk] = n_active
        for row in range(n_rows):
            for column in range(n_columns):
                outputs[row, column, i] = 2 * inputs[row, column, i] + column

    return cuda.jit(kernel)
