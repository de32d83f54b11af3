"""The subject of the planted race, in the shape of the local-array workload."""

from __future__ import annotations

from collections.abc import Callable

from mwe.workloads.planted_race import helper
from mwe.workloads.planted_race.simulator import cuda, launch
from mwe.workloads.subject import GuardedGlobal, Subject

Kernel = Callable[[list[float], int, int], None]


class PlantedRaceSubject(Subject):
    """Twelve active threads of fourteen allocate through a helper, as in `local-array`."""

    n_threads = 12
    threads_per_block = 14

    def __init__(self) -> None:
        self.guarded_globals = [GuardedGlobal(helper, "cuda", cuda)]

    def build_kernel(self) -> Kernel:
        """Return ``kernel(output, n_threads, i)``."""
        allocate_buffer = helper.allocate_buffer

        def kernel(output: list[float], n_threads: int, i: int) -> None:
            if i >= n_threads:
                return
            buffer = allocate_buffer()
            buffer[0] = 1.0
            output[i] = buffer[0]

        return kernel

    def launch(self, kernel: Kernel) -> list[float]:
        """Launch one block, wait for it, and return the output."""
        output = [0.0] * self.threads_per_block
        launch(lambda i: kernel(output, self.n_threads, i), self.threads_per_block)
        return output

    def describe_mismatch(self, output: list[float]) -> str:
        """Compare with ones for the active threads and zeros for the rest."""
        n_inactive = self.threads_per_block - self.n_threads
        expected = [1.0] * self.n_threads + [0.0] * n_inactive
        return "" if output == expected else f"output is {output}, expected {expected}"


def planted_race() -> Subject:
    """Return the positive control."""
    return PlantedRaceSubject()
