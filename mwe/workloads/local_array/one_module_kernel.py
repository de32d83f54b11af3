"""Control: the allocator and the kernel in one module, where the race cannot occur."""

from typing import Any

import numpy as np
from numba import cuda

from mwe.workloads.inlining import jit_inlined

__all__ = ["build_kernel"]


def build_kernel(buffer_size: int) -> Any:
    """Return ``kernel(output, n_threads)`` whose allocator is a device function of this module."""

    @jit_inlined
    def allocate_buffer():  # type: ignore[no-untyped-def]
        return cuda.local.array(buffer_size, dtype=np.float32)

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        buffer = allocate_buffer()
        buffer[0] = 1.0
        output[i] = buffer[0]

    return kernel
