"""Batches of runs: whole where they fit into a chunk, else cut into chunks.

An array without a run axis is never cut, whatever becomes of those beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import config, cuda

from mwe.workloads.chunked.pool import ChunkBuffer, ChunkBufferPool
from mwe.workloads.chunked.watcher import BufferTask, WritebackWatcher, wait_for_event
from mwe.workloads.device_arrays import GuardedArray

# What no kernel writes: an element that still has it was never written.
SENTINEL = np.float32(-12345.0)
MAX_BUFFERS = 6
# A failed chunk's launch and copies take less; what the device has not done by then, it never does.
RECOVERY_TIMEOUT_S = 10.0


@dataclass(frozen=True, kw_only=True)
class DeviceChunk:
    """What one launch gets: the arrays on the device, and which of the batch's chunks it is."""

    outputs: Any
    inputs: Any
    status_codes: Any  # of all chunks
    index: int
    n_runs: int


Launch = Callable[[DeviceChunk], None]


@dataclass(frozen=True, kw_only=True)
class BatchShape:
    """How a batch of runs is cut."""

    run_shape: tuple[int, ...]  # of one run's data; in an array the runs are the last axis
    n_runs: int  # at least 1
    memory_limit_bytes: int  # of one array on the device; however small, a chunk has a run

    @property
    def chunk_runs(self) -> int:
        """Runs of a full chunk."""
        run_bytes = int(np.prod(self.run_shape)) * np.dtype(np.float32).itemsize
        return max(1, min(self.n_runs, self.memory_limit_bytes // run_bytes))

    @property
    def is_chunked(self) -> bool:
        """Whether there is more than one chunk."""
        return self.chunk_runs < self.n_runs

    @property
    def n_chunks(self) -> int:
        """Chunks of the batch; the last one may be smaller."""
        return -(-self.n_runs // self.chunk_runs)

    @property
    def host_shape(self) -> tuple[int, ...]:
        """The shape of all runs."""
        return self.find_data_shape(self.n_runs)

    @property
    def device_shape(self) -> tuple[int, ...]:
        """The shape of a chunk on the device, and so of every buffer."""
        return self.find_data_shape(self.chunk_runs)

    def find_data_shape(self, n_runs: int) -> tuple[int, ...]:
        """Return the shape of the data of `n_runs` runs."""
        return (*self.run_shape, n_runs)


class BatchTransfer:
    """The arrays of a batch on host and device, and their way between them.

    An array that fits into one chunk is a pinned host array, and is copied whole. One that is
    chunked is a plain host array, with pinned buffers of a chunk each from the pool. The status
    codes, an element a chunk, have no run axis: they are pinned and copied whole in every batch.
    """

    def __init__(self, shape: BatchShape, watcher: WritebackWatcher) -> None:
        self.shape = shape
        self.watcher = watcher
        self.pool = ChunkBufferPool(MAX_BUFFERS)
        allocate = np.empty if shape.is_chunked else cuda.pinned_array
        self.inputs = allocate(shape.host_shape, np.float32)
        self.outputs = allocate(shape.host_shape, np.float32)
        # Numbers of runs, in the type that guards have.
        self.status_codes = cuda.pinned_array((shape.n_chunks,), np.float32)
        for written in (self.outputs, self.status_codes):
            written[...] = SENTINEL
        # That of the newest chunk; the default one where the batch is not chunked.
        self.stream: Any = 0
        # What kernels write on the device, each between guards; none in the simulator.
        self.guarded: list[GuardedArray] = []
        # The output buffer of the newest chunk, and how many runs it has.
        self._last_output: tuple[ChunkBuffer, int] | None = None
        self._device_status: Any = None

    def run(self, launch: Launch) -> None:
        """Launch every chunk and hand its output to the watcher; `wait_pending` waits for it."""
        self.stream = 0
        self._device_status = self._put_written(self.status_codes)
        if self.shape.is_chunked:
            for index in range(self.shape.n_chunks):
                self._run_chunk(launch, index)
            return
        chunk = DeviceChunk(
            outputs=self._put_written(self.outputs),
            inputs=cuda.to_device(self.inputs),
            status_codes=self._device_status,
            index=0,
            n_runs=self.shape.n_runs,
        )
        launch(chunk)
        chunk.outputs.copy_to_host(self.outputs)

    def wait_pending(self, timeout: float | None = None) -> None:
        """Wait for all write-backs; see `WritebackWatcher.wait_all`.

        The status codes come last: no launch can write them any more.
        """
        self.watcher.wait_all(timeout)
        if self._device_status is not None:
            self._device_status.copy_to_host(self.status_codes)
            self._device_status = None

    def find_tail(self) -> Any:
        """Return the elements of the last output buffer behind its data; none without a buffer."""
        if self._last_output is None:
            return np.empty(0, np.float32)
        buffer, n_chunk = self._last_output
        return np.array(buffer.array[..., n_chunk:])

    def release_buffers(self) -> None:
        """Empty the pool."""
        self.pool.clear()

    def acquire_buffer(self, name: str) -> ChunkBuffer:
        """Return a buffer of the device chunk's shape, filled with the sentinel."""
        buffer = self.pool.acquire(name, self.shape.device_shape, np.float32)
        buffer.array[...] = SENTINEL
        return buffer

    def submit(self, buffer: ChunkBuffer, target: Any = None, n_chunk: int = 0) -> None:
        """Let the watcher give a buffer back once the device no longer uses it.

        An output's first `n_chunk` runs are copied to their place in the host array before.
        """
        event, data_shape = self.record_event(), self.shape.find_data_shape(n_chunk)
        self.watcher.submit(
            BufferTask(
                event=event, buffer=buffer, pool=self.pool, target=target, data_shape=data_shape
            )
        )

    def record_event(self) -> Any:
        """Return an event behind everything that the newest chunk's stream has been given."""
        event = cuda.event()
        event.record(self.stream)
        return event

    def _put_written(self, array: Any) -> Any:
        """Copy an array that a kernel writes to the device, there between guards."""
        if config.ENABLE_CUDASIM:
            return cuda.to_device(array, stream=self.stream)
        guarded = GuardedArray(array, self.stream)
        self.guarded.append(guarded)
        return guarded.array

    def _run_chunk(self, launch: Launch, index: int) -> None:
        """Copy in, launch and copy out, all on a stream of the chunk's own."""
        first = index * self.shape.chunk_runs
        runs = slice(first, min(first + self.shape.chunk_runs, self.shape.n_runs))
        n_chunk = runs.stop - runs.start
        stream = self.stream = cuda.stream()
        kept: list[ChunkBuffer] = []
        try:
            source = self.acquire_buffer("inputs")
            kept.append(source)
            target = self.acquire_buffer("outputs")
            kept.append(target)
            source.array[..., :n_chunk] = self.inputs[..., runs]
            chunk = DeviceChunk(
                inputs=cuda.to_device(source.array, stream=stream),
                # The runs that the last chunk does not have stay as they are.
                outputs=self._put_written(target.array),
                status_codes=self._device_status,
                index=index,
                n_runs=n_chunk,
            )
            launch(chunk)
            self.submit(source)
            kept.remove(source)
            chunk.outputs.copy_to_host(target.array, stream=stream)
            self._last_output = (target, n_chunk)
            self.submit(target, self.outputs[..., runs], n_chunk)
        except BaseException:
            self._take_back(kept)
            raise

    def _take_back(self, buffers: list[ChunkBuffer]) -> None:
        """Give buffers back that the watcher has not got, once the device no longer uses them."""
        deadline_s = time.monotonic() + RECOVERY_TIMEOUT_S
        try:
            wait_for_event(self.record_event(), lambda: time.monotonic() > deadline_s)
        except Exception:
            # The device may still use them.
            for buffer in buffers:
                self.pool.discard(buffer)
            return
        for buffer in buffers:
            self.pool.release(buffer)
