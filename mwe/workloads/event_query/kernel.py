"""A kernel that takes its time: each thread goes through a sequence of pseudorandom numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda

# Of a linear congruential generator modulo 2**31 (ISO C's example): no shortcut is known to the
# compiler, and every product fits into 64 bits.
_FACTOR = 1103515245
_SUMMAND = 12345
_MODULUS = 2**31
# What of a state is written: float32 holds it exactly.
_OUTPUT_MASK = 0xFFFF


def build_kernel() -> Any:
    """Return ``kernel(output, n_threads, n_rounds)``."""
    factor, summand, mask, output_mask = _FACTOR, _SUMMAND, _MODULUS - 1, _OUTPUT_MASK

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
    """Return what the kernel writes, computed on the host.

    Thread i is at a**n i + c (a**n - 1) / (a - 1) after n rounds, modulo m. The quotient is
    the sum of a**k for k < n; to divide exactly, a**n is taken modulo m (a - 1).
    """
    power = pow(_FACTOR, n_rounds, _MODULUS * (_FACTOR - 1))
    offset = _SUMMAND * ((power - 1) // (_FACTOR - 1))
    states = np.arange(n_threads, dtype=np.int64) * (power % _MODULUS) + offset
    return (states % _MODULUS & _OUTPUT_MASK).astype(np.float32)
