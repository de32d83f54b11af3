"""A kernel around a shared array from another module."""

from typing import Any

from numba import cuda

__all__ = ["build_kernel"]


def build_kernel(allocate_shared: Any) -> Any:
    """Return ``kernel(output, n_threads)``, which writes 1.0 to ``output[:n_threads]``.

    Each thread uses an element of its own, so nothing has to be synchronised.
    """

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        buffer = allocate_shared()
        buffer[i] = 1.0
        output[i] = buffer[i]

    return kernel
