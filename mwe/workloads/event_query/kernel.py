"""A kernel that takes its time: each thread goes through a sequence of pseudorandom numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

__all__ = ["build_kernel", "compute_expected"]

# Of a linear congruential generator modulo 2**31 (ISO C's example): no shortcut is known to the
# compiler, and every product fits into 64 bits.
_FACTOR = 1103515245
_SUMMAND = 12345
_MASK = 0x7FFFFFFF
# What of a state is written: float32 holds it exactly.
_OUTPUT_MASK = 0xFFFF


def build_kernel() -> Any:
    """Return ``kernel(output, n_threads, n_rounds)``."""
    factor, summand, mask, output_mask = _FACTOR, _SUMMAND, _MASK, _OUTPUT_MASK

    def kernel(output, n_threads, n_rounds):  # type: ignore[no-untyped-def]
        i = cuda.grid(1)
        if i >= n_threads:
            return
        state = np.int64(i)
        for _ in range(n_rounds):
            state = (state * factor + summand) & mask
        output[i] = np.float32(state & output_mask)

    return cuda.jit(kernel)


def compute_expected(n_threads: int, n_rounds: int) -> Any:
    """Return what the kernel writes, computed on the host by repeated squaring.

    Two rounds are one with another factor and summand, so n rounds take log n steps.
    """
    factor, summand = 1, 0
    power, offset = _FACTOR, _SUMMAND
    while n_rounds:
        if n_rounds % 2:
            factor, summand = factor * power & _MASK, (summand * power + offset) & _MASK
        power, offset = power * power & _MASK, (offset * power + offset) & _MASK
        n_rounds //= 2
    state = (np.arange(n_threads, dtype=np.int64) * factor + summand) & _MASK
    return (state & _OUTPUT_MASK).astype(np.float32)
