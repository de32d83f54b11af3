"""The chunked transfer: its pool, and the oracle with planted faults."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from mwe.batch import Batch
from mwe.isolation import run_batch
from mwe.schedules import find_schedule
from mwe.targets import Target, prepare_target

prepare_target(Target.SIMULATOR)

from mwe.workloads.chunked import kernels, subjects  # noqa: E402 (needs the simulator)
from mwe.workloads.chunked.pool import ChunkBufferPool  # noqa: E402
from mwe.workloads.chunked.subjects import (  # noqa: E402
    ChunkedSubject,
    chunked_local,
    chunked_plain,
)
from mwe.workloads.chunked.transfers import SENTINEL, BatchTransfer  # noqa: E402
from mwe.workloads.chunked.watcher import WritebackWatcher  # noqa: E402


def test_a_free_buffer_is_used_again_only_if_shape_and_dtype_are_the_same():
    """A buffer of another shape or dtype, or one in use, is not handed out again."""
    pool = ChunkBufferPool(8)
    first = pool.acquire("a", (3, 2), np.float32)
    pool.release(first)
    assert pool.acquire("b", (3, 2), np.float32) is first
    assert first.array_name == "b"
    others = [
        pool.acquire("b", (3, 2), np.float32),
        pool.acquire("b", (2, 3), np.float32),
        pool.acquire("b", (3, 2), np.float64),
    ]
    assert len({id(buffer) for buffer in (first, *others)}) == 4
    assert pool.n_in_use == 4


def test_a_full_pool_waits_for_a_buffer_and_gives_up_in_time():
    """A full pool goes on once a buffer comes back; a free one of another shape makes room."""
    pool = ChunkBufferPool(1, acquire_timeout_s=0.05)
    pool.acquire("a", (2,), np.float32)
    with pytest.raises(TimeoutError, match="all 1 are in use"):
        pool.acquire("b", (2,), np.float32)
    patient = ChunkBufferPool(1)
    held = patient.acquire("a", (2,), np.float32)
    threading.Timer(0.05, patient.release, [held]).start()
    assert patient.acquire("b", (5,), np.float32).array.shape == (5,)


def test_releasing_twice_is_an_error():
    """A second release is refused: somebody else may have the buffer by then."""
    pool = ChunkBufferPool(1)
    buffer = pool.acquire("a", (2,), np.float32)
    pool.release(buffer)
    with pytest.raises(ValueError, match="released twice"):
        pool.release(buffer)
    with pytest.raises(ValueError, match="at least 1"):
        ChunkBufferPool(0)


def test_clearing_forgets_what_is_free():
    """A buffer in use stays with whoever has it, and can be given back after clearing."""
    pool = ChunkBufferPool(4)
    held, free = (pool.acquire("a", (2,), np.float32) for _ in range(2))
    pool.release(free)
    pool.clear()
    assert (pool._free, pool.n_in_use) == ([], 1)
    assert pool.acquire("a", (2,), np.float32) is not free
    pool.release(held)
    assert pool.acquire("a", (2,), np.float32) is held


def test_many_threads_never_share_a_buffer():
    """Each of eight threads finds in its buffer what it wrote, with three buffers for all."""
    pool = ChunkBufferPool(3)
    wrong = []

    def work(number):
        for _ in range(50):
            buffer = pool.acquire("a", (4,), np.float32)
            buffer.array[...] = number
            time.sleep(0)
            if (buffer.array != number).any():
                wrong.append(number)
            pool.release(buffer)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert pool.n_in_use == 0


@pytest.mark.parametrize("make", [chunked_local, chunked_plain])
def test_workloads_compute_what_the_oracle_expects(make):
    """The oracle accepts every launch with one thread, of two full chunks and a smaller one."""
    subject = make(1)
    assert subject.describe_mismatch(subject.launch(subject.build_kernel())) == ""


SLOW_S = 0.02


class SlowWatcher(WritebackWatcher):
    """Takes its time, as one does whose device is busy."""

    def finish(self, task):
        """Finish late."""
        time.sleep(SLOW_S)
        super().finish(task)


class EarlyWatcher(SlowWatcher):
    """Plants an early release: the buffer is given back before it was copied."""

    def submit(self, task):
        """Give the buffer back at once."""
        if task.target is not None:
            task.pool.release(task.buffer)
        super().submit(task)

    def finish(self, task):
        """Copy late, from a buffer that somebody else may have by now."""
        time.sleep(SLOW_S)
        if task.target is not None:
            data = tuple(slice(0, length) for length in task.data_shape)
            task.target[...] = task.buffer.array[data]
        else:
            task.pool.release(task.buffer)


class HostShaped(BatchTransfer):
    """Plants a buffer of the host array's shape."""

    def acquire_buffer(self, name):
        """Return a buffer for all runs."""
        shape = self.shape.host_shape if name == "outputs" else self.shape.device_shape
        buffer = self.pool.acquire(name, shape, np.float32)
        buffer.array[...] = SENTINEL
        return buffer

    def _put_written(self, array):
        """Return a device array of the chunk's shape, as the real one."""
        return super()._put_written(array[..., : self.shape.chunk_runs])


class Untrimmed(BatchTransfer):
    """Plants a write-back without data_shape: the whole buffer is copied."""

    def submit(self, buffer, target=None, n_chunk=0):
        """Take every chunk for a full one."""
        super().submit(buffer, target, self.shape.chunk_runs)


class Impatient(BatchTransfer):
    """Plants a wait that is skipped."""

    def wait_pending(self, timeout=None):
        """Do not."""


class Overreaching(BatchTransfer):
    """Plants a kernel that is told of a full chunk where the last one is smaller."""

    def run(self, launch):
        """Launch for every run that the device array has room for."""
        super().run(lambda chunk: launch(replace(chunk, n_runs=self.shape.chunk_runs)))


class ForgetsStatus(BatchTransfer):
    """Plants status codes that stay on the device."""

    def wait_pending(self, timeout=None):
        """Wait for the outputs alone."""
        self.watcher.wait_all(timeout)


class CutsStatus(BatchTransfer):
    """Plants status codes that are cut like the runs beside them."""

    def run(self, launch):
        """Give each launch what lies at its runs."""

        def launch_cut(chunk):
            first = chunk.index * self.shape.chunk_runs
            cut = chunk.status_codes[first : first + chunk.n_runs]
            launch(replace(chunk, status_codes=cut))

        super().run(launch_cut)


class Faulty(ChunkedSubject):
    """A subject with a planted fault."""

    def __init__(self, transfer=BatchTransfer, watcher=WritebackWatcher):
        self.make_transfer, self.make_watcher = transfer, watcher
        super().__init__(lambda: kernels.build_plain_kernel(subjects.RUN_SHAPE), 3)


@pytest.mark.parametrize(
    "fault",
    [
        {"transfer": HostShaped},
        {"transfer": Untrimmed},
        {"transfer": Impatient, "watcher": SlowWatcher},
        {"watcher": EarlyWatcher},
        {"transfer": Overreaching},
        {"transfer": ForgetsStatus},
        {"transfer": CutsStatus},
    ],
    ids=[
        "host-shaped",
        "untrimmed",
        "wait-skipped",
        "early-release",
        "tail-written",
        "status-forgotten",
        "status-cut",
    ],
)
def test_planted_faults_are_caught_in_every_batch(fault):
    """Every trial of 20 batches fails, as an exception or a wrong result."""
    for seed in range(20):
        batch = Batch(
            defect="d", workload="w", role="workload", schedule="natural", target="s", seed=seed
        )
        run_batch(lambda: Faulty(**fault), find_schedule("natural"), batch, 2)
        assert batch.failures == batch.trials == 2, batch.details
        assert set(batch.failures_by_mode) <= {"exception", "wrong-result"}


def test_a_slow_watcher_is_no_fault():
    """A trial waits for a slow watcher, so no trial fails."""
    batch = Batch(defect="d", workload="w", role="workload", schedule="natural", target="s", seed=1)
    run_batch(lambda: Faulty(watcher=SlowWatcher), find_schedule("natural"), batch, 5)
    assert (batch.failures, batch.trials) == (0, 5), batch.details
