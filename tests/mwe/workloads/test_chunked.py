"""The chunked transfer: pool, watcher, shapes, and the oracle with planted faults."""

from __future__ import annotations

import threading
import time

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
from mwe.workloads.chunked.transfers import SENTINEL, BatchShape, BatchTransfer  # noqa: E402
from mwe.workloads.chunked.watcher import BufferTask, WritebackWatcher  # noqa: E402


@pytest.fixture
def watcher():
    """Return a watcher that runs, and end it."""
    watcher = WritebackWatcher()
    watcher.start()
    yield watcher
    watcher.shutdown()


class Event:
    """An event that completes when it is told to."""

    def __init__(self):
        self.done = threading.Event()

    def query(self):
        """Say whether it has completed."""
        return self.done.is_set()


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


def test_the_watcher_waits_for_the_event_before_it_copies(watcher):
    """Before its event a buffer is neither copied nor given back; after it, both."""
    pool, event = ChunkBufferPool(1), Event()
    buffer = pool.acquire("a", (4,), np.float32)
    buffer.array[...] = 7
    host = np.zeros(3, np.float32)
    watcher.submit(BufferTask(event=event, buffer=buffer, pool=pool, target=host, data_shape=(3,)))
    with pytest.raises(TimeoutError, match="1 tasks are pending"):
        watcher.wait_all(0.05)
    assert (host == 0).all()
    assert pool.n_in_use == 1
    event.done.set()
    watcher.wait_all(10)
    assert (host == 7).all()
    assert (pool.n_in_use, watcher.n_pending) == (0, 0)


def test_an_error_in_the_thread_is_raised_in_wait_all_once(watcher):
    """After an error the buffer comes back, the counter goes down, and the thread lives on."""
    pool = ChunkBufferPool(1)
    for _ in range(2):
        buffer = pool.acquire("a", (4,), np.float32)
        task = BufferTask(event=None, buffer=buffer, pool=pool, target=np.zeros(2), data_shape=(3,))
        watcher.submit(task)
        with pytest.raises(ValueError, match="could not broadcast"):
            watcher.wait_all(10)
        assert pool.n_in_use == 0
        watcher.wait_all(10)


def test_starting_twice_starts_one_thread(watcher):
    """A second start changes nothing; a watcher that was never started takes no task."""
    thread = watcher._thread
    watcher.start()
    assert watcher._thread is thread
    assert thread.daemon
    with pytest.raises(RuntimeError, match="start it first"):
        WritebackWatcher().submit(None)


def test_shutdown_drains():
    """A shutdown finishes everything that was submitted before it."""
    watcher, pool = WritebackWatcher(), ChunkBufferPool(8)
    watcher.start()
    hosts = [np.zeros(4, np.float32) for _ in range(8)]
    for host in hosts:
        buffer = pool.acquire("a", (4,), np.float32)
        buffer.array[...] = 3
        task = BufferTask(event=None, buffer=buffer, pool=pool, target=host, data_shape=(4,))
        watcher.submit(task)
    watcher.shutdown()
    watcher.shutdown()
    assert all((host == 3).all() for host in hosts)
    assert watcher.n_pending == 0


FIVE_RUNS = BatchShape(run_shape=(51, 3), n_runs=5, memory_limit_bytes=51 * 3 * 2 * 4)


def test_five_runs_in_chunks_of_two():
    """Five runs in chunks of two have device arrays of (51, 3, 2); the last chunk has one run."""
    assert FIVE_RUNS.is_chunked
    assert FIVE_RUNS.device_shape == (51, 3, 2)
    assert FIVE_RUNS.find_data_shape(1) == (51, 3, 1)


def run_five(watcher, shape=FIVE_RUNS):
    """Run a batch through real chunked allocation; return the transfer and what was launched."""
    transfer = BatchTransfer(shape, watcher)
    transfer.inputs[...] = np.arange(transfer.inputs.size).reshape(transfer.inputs.shape)
    launched = []

    def launch(outputs, inputs, n_chunk):
        launched.append((tuple(outputs.shape), tuple(inputs.shape), n_chunk))
        for run in range(n_chunk):
            outputs[..., run] = np.asarray(inputs[..., run]) * 2

    transfer.run(launch)
    transfer.wait_pending(10)
    return transfer, launched


def test_a_chunked_array_is_processed_chunk_by_chunk(watcher):
    """Every run is right, the tail of the last buffer is untouched, and nothing is left over."""
    transfer, launched = run_five(watcher)
    assert launched == [
        ((51, 3, 2),) * 2 + (2,),
        ((51, 3, 2),) * 2 + (2,),
        ((51, 3, 2),) * 2 + (1,),
    ]
    assert type(transfer.outputs) is np.ndarray
    assert (transfer.outputs == transfer.inputs * 2).all()
    assert all(buffer.array.shape == (51, 3, 2) for buffer in transfer.pool._free)
    assert transfer.find_tail().shape == (51, 3, 1)
    assert (transfer.find_tail() == SENTINEL).all()
    assert (transfer.pool.n_in_use, watcher.n_pending) == (0, 0)
    transfer.release_buffers()
    assert transfer.pool._free == []


def test_an_array_that_fits_is_copied_whole(watcher):
    """An array of one chunk is launched as it is, without a buffer."""
    shape = BatchShape(run_shape=(51, 3), n_runs=5, memory_limit_bytes=10**6)
    transfer, launched = run_five(watcher, shape)
    assert launched == [((51, 3, 5), (51, 3, 5), 5)]
    assert (np.asarray(transfer.outputs) == np.asarray(transfer.inputs) * 2).all()
    assert transfer.pool._free == []
    assert transfer.find_tail().size == 0


def test_a_chunk_has_at_least_one_run(watcher):
    """A chunk has a run even where the device has no room for one."""
    shape = BatchShape(run_shape=(51, 3), n_runs=3, memory_limit_bytes=1)
    transfer, launched = run_five(watcher, shape)
    assert [n_chunk for *_, n_chunk in launched] == [1, 1, 1]
    assert (transfer.outputs == transfer.inputs * 2).all()


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

    def _put_output(self, array):
        """Return a device array of the chunk's shape, as the real one."""
        return super()._put_output(array[..., : self.shape.chunk_runs])


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
        super().run(lambda outputs, inputs, _n: launch(outputs, inputs, self.shape.chunk_runs))


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
    ],
    ids=["host-shaped", "untrimmed", "wait-skipped", "early-release", "tail-written"],
)
def test_planted_faults_are_caught_in_every_batch(fault):
    """Every trial of 20 batches fails, as an exception or a wrong result."""
    for seed in range(20):
        batch = Batch(workload="w", role="workload", schedule="natural", target="s", seed=seed)
        run_batch(lambda: Faulty(**fault), find_schedule("natural"), batch, 2)
        assert batch.failures == batch.trials == 2, batch.details
        assert set(batch.failures_by_mode) <= {"exception", "wrong-result"}


def test_a_launch_that_fails_keeps_no_buffer(watcher):
    """After ten failed launches no buffer is in use: the next run finds them all."""
    transfer = BatchTransfer(FIVE_RUNS, watcher)

    def fail(*_arguments):
        raise RuntimeError("launch")

    for _ in range(10):
        with pytest.raises(RuntimeError, match="launch"):
            transfer.run(fail)
    assert transfer.pool.n_in_use == 0


def test_a_task_that_the_watcher_refuses_loses_no_buffer():
    """A transfer whose watcher does not run fails without a buffer in use."""
    transfer = BatchTransfer(FIVE_RUNS, WritebackWatcher())
    with pytest.raises(RuntimeError, match="start it first"):
        transfer.run(lambda *_arguments: None)
    assert transfer.pool.n_in_use == 0


def test_a_buffer_whose_event_failed_is_used_by_nobody_again(watcher):
    """A buffer that the device may still write is forgotten, and the error is told."""

    class Broken:
        def query(self):
            raise RuntimeError("event")

    pool = ChunkBufferPool(1)
    buffer = pool.acquire("a", (2,), np.float32)
    watcher.submit(BufferTask(event=Broken(), buffer=buffer, pool=pool))
    with pytest.raises(RuntimeError, match="event"):
        watcher.wait_all(10)
    assert pool.acquire("a", (2,), np.float32) is not buffer


def test_a_slow_watcher_is_no_fault():
    """A trial waits for a slow watcher, so no trial fails."""
    batch = Batch(workload="w", role="workload", schedule="natural", target="s", seed=1)
    run_batch(lambda: Faulty(watcher=SlowWatcher), find_schedule("natural"), batch, 5)
    assert (batch.failures, batch.trials) == (0, 5), batch.details
