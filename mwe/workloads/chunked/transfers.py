"""Batches of runs: whole where they fit into a chunk, else cut into chunks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import config, cuda

from mwe.workloads.chunked.pool import ChunkBuffer, ChunkBufferPool
from mwe.workloads.chunked.watcher import BufferTask, WritebackWatcher
from mwe.workloads.device_arrays import GuardedArray

# What no kernel writes: an element that still has it was never written.
SENTINEL = np.float32(-12345.0)
MAX_BUFFERS = 6

Launch = Callable[[Any, Any, int], None]


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
    chunked is a plain host array, with pinned buffers of a chunk each from the pool.
    """

    def __init__(self, shape: BatchShape, watcher: WritebackWatcher) -> None:
        self.shape = shape
        self.watcher = watcher
        self.pool = ChunkBufferPool(MAX_BUFFERS)
        allocate = np.empty if shape.is_chunked else cuda.pinned_array
        self.inputs = allocate(shape.host_shape, np.float32)
        self.outputs = allocate(shape.host_shape, np.float32)
        self.outputs[...] = SENTINEL
        # That of the newest chunk; the default one where the batch is not chunked.
        self.stream: Any = 0
        # The outputs on the device, each between guards; none in the simulator.
        self.guarded: list[GuardedArray] = []
        # The output buffer of the newest chunk, and how many runs it has.
        self._last_output: tuple[ChunkBuffer, int] | None = None

    def run(self, launch: Launch) -> None:
        """Launch every chunk and hand its output to the watcher; `wait_pending` waits for it.

        Parameters
        ----------
        launch
            Called with the chunk's outputs and inputs on the device, and its number of runs.
        """
        n_runs, chunk_runs = self.shape.n_runs, self.shape.chunk_runs
        if not self.shape.is_chunked:
            inputs, outputs = cuda.to_device(self.inputs), self._put_output(self.outputs)
            launch(outputs, inputs, n_runs)
            outputs.copy_to_host(self.outputs)
            return
        for first in range(0, n_runs, chunk_runs):
            self._run_chunk(launch, first, min(chunk_runs, n_runs - first))

    def wait_pending(self, timeout: float | None = None) -> None:
        """Wait for all write-backs; see `WritebackWatcher.wait_all`."""
        self.watcher.wait_all(timeout)

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
        event, data_shape = cuda.event(), self.shape.find_data_shape(n_chunk)
        event.record(self.stream)
        self.watcher.submit(
            BufferTask(
                event=event, buffer=buffer, pool=self.pool, target=target, data_shape=data_shape
            )
        )

    def _put_output(self, array: Any) -> Any:
        if config.ENABLE_CUDASIM:
            return cuda.to_device(array, stream=self.stream)
        guarded = GuardedArray(array, self.stream)
        self.guarded.append(guarded)
        return guarded.array

    def _run_chunk(self, launch: Launch, first: int, n_chunk: int) -> None:
        """Copy in, launch and copy out, all on a stream of the chunk's own."""
        stream = self.stream = cuda.stream()
        source, target = self.acquire_buffer("inputs"), self.acquire_buffer("outputs")
        kept = [source, target]
        try:
            source.array[..., :n_chunk] = self.inputs[..., first : first + n_chunk]
            inputs = cuda.to_device(source.array, stream=stream)
            # The runs that the last chunk does not have stay as they are.
            outputs = self._put_output(target.array)
            launch(outputs, inputs, n_chunk)
            self.submit(source)
            kept.remove(source)
            outputs.copy_to_host(target.array, stream=stream)
            self._last_output = (target, n_chunk)
            self.submit(target, self.outputs[..., first : first + n_chunk], n_chunk)
        except BaseException:
            # Nobody else gives them back, and the device may still use them.
            for buffer in kept:
                self.pool.discard(buffer)
            raise
