"""A kernel with an off-by-one error."""

from __future__ import annotations

from typing import Any

from numba import cuda


def build_kernel() -> Any:
    """Return ``kernel(output, n_threads)``, which writes ``output[n_threads]`` as well."""

    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i > n_threads:
            return
        output[i] = 1.0

    return cuda.jit(kernel)
