"""The subjects of two host threads that launch in the planted simulator."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mwe.workloads.host_launch.launches import HostLaunches, Meet, Order
from mwe.workloads.planted_host_launch.simulator import (
    Launch,
    launch_with_context,
    launch_with_lock,
)
from mwe.workloads.subject import N_THREADS, Subject

Kernel = Callable[[Any, Meet, int], None]


class PlantedLaunches(HostLaunches):
    """The launches are those of the planted simulator; `launch` is how it launches."""

    def __init__(self, launch: Launch, n_threads: int) -> None:
        super().__init__(Order.AT_ONCE, n_threads, [n_threads])
        self._launch = launch
        self.guarded_globals = ()
        self.user_files = frozenset({__file__})

    def build_kernel(self) -> Kernel:
        """Return ``kernel(output, meet, i)``, which counts its threads."""
        lock = threading.Lock()

        def kernel(output: Any, meet: Meet, _i: int) -> None:
            meet()
            with lock:
                output[0] += 1

        return kernel

    def launch_once(self, kernel: Any, output: Any, meet: Meet) -> None:
        """Launch in the planted simulator."""
        self._launch(kernel, self.n_threads, output, meet)


def planted_host_launch(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control."""
    return PlantedLaunches(launch_with_context, n_threads)


def sound_host_launch(n_threads: int = N_THREADS) -> Subject:
    """Return the same with a lock around the launch, which never fails."""
    return PlantedLaunches(launch_with_lock, n_threads)
