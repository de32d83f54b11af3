"""The kernel whose values are captured in its closure, where the compiler makes them a constant."""

from __future__ import annotations

from typing import Any

from numba import cuda


def build_kernel(values: Any) -> Any:
    """Return ``kernel(output, n_threads)``, whose thread i writes ``values[i]``."""

    @cuda.jit  # type: ignore[untyped-decorator,unused-ignore]
    def kernel(output, n_threads):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        output[i] = values[i]

    return kernel
