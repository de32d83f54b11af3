"""The planted split and its sound twin, in the shape of the shared-split workload."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mwe.workloads.planted_block import Kernel, PlantedSubject
from mwe.workloads.planted_split.simulator import FakeShared
from mwe.workloads.subject import N_THREADS, Subject


def _make_subject(open_shared: Callable[[], FakeShared], n_threads: int) -> Subject:
    def open_block() -> Kernel:
        shared = open_shared()
        barrier = threading.Barrier(n_threads)

        def kernel(output: list[float], i: int) -> None:
            if i >= n_threads:
                return
            array = shared.array("numbers", n_threads)
            array[i] = i + 1.0
            barrier.wait()
            output[i] = array[(i + 1) % n_threads]

        return kernel

    expected = [(i + 1) % n_threads + 1.0 for i in range(n_threads)]
    return PlantedSubject(open_block, n_threads, expected, {__file__})


def planted_split(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control: two threads may get different arrays."""
    return _make_subject(FakeShared, n_threads)


def sound_split(n_threads: int = N_THREADS) -> Subject:
    """Return its sound twin, the negative control: a lock is held from look-up to store."""
    return _make_subject(lambda: FakeShared(threading.Lock()), n_threads)
