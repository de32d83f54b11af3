"""A kernel of our own with an array of each kind: a constant, a local and a shared one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

# A power of two, so that an index is cut off by `&`.
N_ELEMENTS = 4


def build_kernel(n_threads: int) -> Any:
    """Return ``kernel(output, n_threads)``: threads write what others took from the arrays.

    Each index follows from the thread's, so that no array can be held in registers.
    """
    values = np.arange(1, N_ELEMENTS + 1)
    last = N_ELEMENTS - 1

    def kernel(output, n_threads_given):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads_given:
            return
        shared = cuda.shared.array(n_threads, np.int64)
        own = cuda.local.array(N_ELEMENTS, np.int64)
        for j in range(N_ELEMENTS):
            own[j] = values[(i + j) & last]
        shared[i] = own[(3 * i) & last]
        cuda.syncthreads()
        output[i] = shared[n_threads - 1 - i]

    return cuda.jit(kernel)
