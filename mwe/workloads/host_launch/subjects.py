"""The subjects of two host threads that launch a kernel of upstream's simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from numba import cuda

from mwe.workloads.host_launch import kernels
from mwe.workloads.host_launch.launches import HostLaunches, Meet, Order
from mwe.workloads.subject import N_THREADS, GuardedGlobal, Subject


class SimulatedLaunches(HostLaunches):
    """The launches are those of upstream's simulator; no kernel that waits runs elsewhere."""

    def __init__(
        self, build: Callable[[], Any], order: Order, n_threads: int, expected: Sequence[int]
    ) -> None:
        super().__init__(order, n_threads, expected)
        self._build = build
        self.guarded_globals = [GuardedGlobal(kernels, "cuda", cuda)]
        self.user_files = frozenset({str(kernels.__file__)})

    def build_kernel(self) -> Any:
        """Build ``kernel(output, meet)``."""
        return self._build()

    def launch_once(self, kernel: Any, output: Any, meet: Meet) -> None:
        """Launch one block."""
        kernel[1, self.threads_per_block](output, meet)


def _make_counting(order: Order, n_threads: int) -> Subject:
    return SimulatedLaunches(kernels.build_counting_kernel, order, n_threads, [n_threads])


def host_launch(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose kernel counts its threads."""
    return _make_counting(Order.AT_ONCE, n_threads)


def host_launch_index(n_threads: int = N_THREADS) -> Subject:
    """Return the workload whose kernel uses its index."""
    expected = [1] * n_threads
    return SimulatedLaunches(kernels.build_index_kernel, Order.AT_ONCE, n_threads, expected)


def host_launch_in_turn(n_threads: int = N_THREADS) -> Subject:
    """Return the control with one launch after the other."""
    return _make_counting(Order.IN_TURN, n_threads)


def host_launch_locked(n_threads: int = N_THREADS) -> Subject:
    """Return the control with a lock around each launch."""
    return _make_counting(Order.LOCKED, n_threads)
