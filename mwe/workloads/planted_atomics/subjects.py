"""The planted atomics and their sound twin, in the shape of the atomics-add-sub workload."""

from __future__ import annotations

import threading

from mwe.workloads.planted_atomics.simulator import FakeAtomic
from mwe.workloads.planted_block import Kernel, PlantedSubject
from mwe.workloads.subject import N_THREADS, Subject


def _make_subject(atomic: FakeAtomic, n_threads: int) -> Subject:
    def kernel(output: list[float], i: int) -> None:
        if i >= n_threads:
            return
        if i % 2 == 0:
            atomic.add(output, 0, n_threads)
        else:
            atomic.sub(output, 0, 1)

    def open_block() -> Kernel:
        return kernel

    n_subs = n_threads // 2
    expected = [(n_threads - n_subs) * n_threads - n_subs]
    return PlantedSubject(open_block, n_threads, expected, {__file__})


def planted_atomics(n_threads: int = N_THREADS) -> Subject:
    """Return the positive control: each kind has a lock of its own."""
    return _make_subject(FakeAtomic(threading.Lock(), threading.Lock()), n_threads)


def sound_atomics(n_threads: int = N_THREADS) -> Subject:
    """Return its sound twin, the negative control: both kinds have one lock."""
    lock = threading.Lock()
    return _make_subject(FakeAtomic(lock, lock), n_threads)
