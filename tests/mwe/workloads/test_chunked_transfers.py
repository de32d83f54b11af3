"""How batches are cut into chunks, and what becomes of buffers where that fails."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwe.targets import Target, prepare_target

prepare_target(Target.SIMULATOR)

from mwe.workloads.chunked import transfers  # noqa: E402 (needs the simulator)
from mwe.workloads.chunked.pool import ChunkBufferPool  # noqa: E402
from mwe.workloads.chunked.transfers import SENTINEL, BatchShape, BatchTransfer  # noqa: E402
from mwe.workloads.chunked.watcher import WritebackWatcher  # noqa: E402

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

    def launch(chunk):
        outputs, inputs = chunk.outputs, chunk.inputs
        launched.append((tuple(outputs.shape), tuple(inputs.shape), chunk.n_runs))
        chunk.status_codes[chunk.index] = chunk.n_runs
        for run in range(chunk.n_runs):
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
    assert transfer.status_codes.tolist() == [2, 2, 1]
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
    assert transfer.status_codes.tolist() == [5]
    assert transfer.pool._free == []
    assert transfer.find_tail().size == 0


def test_a_chunk_has_at_least_one_run(watcher):
    """A chunk has a run even where the device has no room for one."""
    shape = BatchShape(run_shape=(51, 3), n_runs=3, memory_limit_bytes=1)
    transfer, launched = run_five(watcher, shape)
    assert [n_chunk for *_, n_chunk in launched] == [1, 1, 1]
    assert (transfer.outputs == transfer.inputs * 2).all()


def test_a_launch_that_fails_keeps_no_buffer(watcher):
    """After ten failed launches no buffer is in use: the next run finds them all."""
    transfer = BatchTransfer(FIVE_RUNS, watcher)

    def fail(*_arguments):
        raise RuntimeError("launch")

    for _ in range(10):
        with pytest.raises(RuntimeError, match="launch"):
            transfer.run(fail)
    assert transfer.pool.n_in_use == 0


@settings(max_examples=300, deadline=None)
@given(
    n_runs=st.integers(1, 8),
    chunk_runs=st.integers(1, 9),
    run_shape=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    spare=st.integers(0, 3),
)
def test_each_way_of_cutting_is_that_of_a_list(n_runs, chunk_runs, run_shape, spare):
    """Chunks are what slices of a list of runs are, and each run comes back from its own."""
    runs = list(range(n_runs))
    chunks = [runs[first : first + chunk_runs] for first in range(0, n_runs, chunk_runs)]
    run_bytes = 4 * run_shape[0] * run_shape[1]
    limit = run_bytes * chunk_runs + min(spare, run_bytes - 1)
    shape = BatchShape(run_shape=run_shape, n_runs=n_runs, memory_limit_bytes=limit)
    watcher = WritebackWatcher()
    watcher.start()
    transfer, launched = run_five(watcher, shape)
    watcher.shutdown()
    device_shape = (*run_shape, len(chunks[0]))
    assert launched == [(device_shape, device_shape, len(chunk)) for chunk in chunks]
    assert transfer.status_codes.tolist() == [len(chunk) for chunk in chunks]
    assert (np.asarray(transfer.outputs) == np.asarray(transfer.inputs) * 2).all()
    n_tail = (len(chunks[0]) - len(chunks[-1])) * run_shape[0] * run_shape[1]
    assert transfer.find_tail().size == n_tail
    # A batch in one chunk has no buffers.
    assert all(buffer.array.shape == device_shape for buffer in transfer.pool._free)
    assert bool(transfer.pool._free) is (len(chunks) > 1)


class ClosingWatcher(WritebackWatcher):
    """Is shut down behind its first task."""

    def submit(self, task):
        """Take one."""
        super().submit(task)
        self.shutdown()


@pytest.mark.parametrize("state", ["not started", "shut down", "closing"])
def test_a_task_that_the_watcher_refuses_loses_no_buffer(state):
    """Each run says why, and the buffers are free again once the watcher runs."""
    watcher = ClosingWatcher() if state == "closing" else WritebackWatcher()
    transfer = BatchTransfer(FIVE_RUNS, watcher)
    for _ in range(4):
        if state != "not started":
            watcher.start()
        if state == "shut down":
            watcher.shutdown()
        with pytest.raises(RuntimeError, match="start it first"):
            transfer.run(lambda _chunk: None)
        assert (transfer.pool.n_in_use, len(transfer.pool._free)) == (0, 2)


def test_a_buffer_that_the_device_may_still_use_is_forgotten(monkeypatch):
    """Nobody gets the buffers of a refused task whose launch does not end in time."""

    def make_event():
        return SimpleNamespace(record=lambda _stream: None, query=lambda: False)

    monkeypatch.setattr(transfers, "RECOVERY_TIMEOUT_S", 0.01)
    monkeypatch.setattr(transfers.cuda, "event", make_event)
    transfer = BatchTransfer(FIVE_RUNS, WritebackWatcher())
    with pytest.raises(RuntimeError, match="start it first"):
        transfer.run(lambda _chunk: None)
    assert (transfer.pool.n_in_use, transfer.pool._free) == (0, [])


def test_a_pool_without_room_for_the_output_keeps_no_input(watcher):
    """The buffer that was acquired first is given back."""
    transfer = BatchTransfer(FIVE_RUNS, watcher)
    transfer.pool = ChunkBufferPool(1, acquire_timeout_s=0.01)
    with pytest.raises(TimeoutError, match="no buffer for 'outputs'"):
        transfer.run(lambda _chunk: None)
    assert transfer.pool.n_in_use == 0
