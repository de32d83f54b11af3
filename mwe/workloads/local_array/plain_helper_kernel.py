"""Control: a kernel that allocates by itself and calls a helper that touches nothing of cuda."""

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.local_array.plain_helper import build_fill

__all__ = ["build_kernel"]


def build_kernel(buffer_size: int) -> Any:
    """Return ``kernel(output, n_threads)`` whose helper lives in `plain_helper`."""
    fill_first = build_fill()

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        buffer = cuda.local.array(buffer_size, dtype=np.float32)
        fill_first(buffer)
        output[i] = buffer[0]

    return kernel
