"""The subject of the planted race, in the shape of the local-array workload."""

from __future__ import annotations

from collections.abc import Callable

from mwe.workloads.planted_race import helper
from mwe.workloads.planted_race.simulator import Swap, cuda, device, launch, swap_on_each_call
from mwe.workloads.subject import (
    N_EARLY_RETURNS,
    N_THREADS,
    GuardedGlobal,
    LaunchShape,
    Subject,
)

Kernel = Callable[[list[float], int, int], None]


class PlantedSubject(Subject):
    """Threads of the planted simulator allocate through a helper, as in `local-array`.

    `swap`, how the simulator swaps the helper's global, is what is planted. It has the threads of
    the other families rather than the local array's: it is the control of all of them, and which
    of its threads fails is no evidence of anything upstream.
    """

    def __init__(self, swap: Swap, n_threads: int | None) -> None:
        self._swap = swap
        self.n_threads = N_THREADS if n_threads is None else n_threads
        self.threads_per_block = self.n_threads + N_EARLY_RETURNS
        self.guarded_globals = [GuardedGlobal(helper, "cuda", cuda)]
        self.user_files = frozenset({str(helper.__file__), __file__})

    def build_kernel(self) -> Kernel:
        """Return ``kernel(output, n_threads, i)``."""
        allocate_buffer = device(helper.allocate_buffer, self._swap)

        def kernel(output: list[float], n_threads: int, i: int) -> None:
            if i >= n_threads:
                return
            buffer = allocate_buffer()
            buffer[0] = 1.0
            output[i] = buffer[0]

        return kernel

    def launch(self, kernel: Kernel, shape: LaunchShape | None = None) -> list[float]:
        """Launch one block, wait for it, and return the output; it knows no other shape."""
        del shape
        output = [0.0] * self.threads_per_block
        launch(kernel, self.threads_per_block, output, self.n_threads)
        return output

    def describe_mismatch(self, output: list[float]) -> str:
        """Compare with ones for the active threads and zeros for the rest."""
        expected = [float(i < self.n_threads) for i in range(self.threads_per_block)]
        return "" if output == expected else f"output is {output}, expected {expected}"


def planted_race(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control."""
    return PlantedSubject(swap_on_each_call, n_threads)
