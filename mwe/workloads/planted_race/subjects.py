"""The subjects of the planted race and its sound twin, in the shape of the local-array workload."""

from __future__ import annotations

from mwe.workloads.planted_block import Kernel, PlantedSubject
from mwe.workloads.planted_race import helper
from mwe.workloads.planted_race.simulator import (
    CountedSwap,
    Swap,
    cuda,
    device,
    swap_on_each_call,
)
from mwe.workloads.subject import N_EARLY_RETURNS, N_THREADS, GuardedGlobal, Subject


class SwapSubject(PlantedSubject):
    """Threads of the planted simulator allocate through a helper, as in `local-array`.

    `swap`, how the simulator swaps the helper's global, is what is planted. It has the threads of
    the other families rather than the local array's: it is the control of all of them, and which
    of its threads fails is no evidence of anything upstream.
    """

    def __init__(self, swap: Swap, n_threads: int | None) -> None:
        n_threads = N_THREADS if n_threads is None else n_threads
        allocate_buffer = device(helper.allocate_buffer, swap)

        def kernel(output: list[float], i: int) -> None:
            if i >= n_threads:
                return
            buffer = allocate_buffer()
            buffer[0] = 1.0
            output[i] = buffer[0]

        def open_block() -> Kernel:
            return kernel

        expected = [1.0] * n_threads + [0.0] * N_EARLY_RETURNS
        super().__init__(open_block, n_threads, expected, {str(helper.__file__), __file__})
        self.guarded_globals = [GuardedGlobal(helper, "cuda", cuda)]


def planted_race(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control."""
    return SwapSubject(swap_on_each_call, n_threads)


def sound_swap(n_threads: int = N_THREADS) -> Subject:
    """Return its sound twin, the negative control."""
    return SwapSubject(CountedSwap(), n_threads)
