"""The subjects of the chunked transfer and the oracle that they share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import config, cuda

from mwe.compiler.judgement import Footprint
from mwe.workloads import allocators
from mwe.workloads.chunked import kernels
from mwe.workloads.chunked.transfers import (
    SENTINEL,
    BatchShape,
    BatchTransfer,
    DeviceChunk,
)
from mwe.workloads.chunked.watcher import WritebackWatcher
from mwe.workloads.kernel_subject import CompiledSubject, describe_difference
from mwe.workloads.subject import N_THREADS, GuardedOutput, LaunchShape, Subject

# Small, because every element of it is paced.
RUN_SHAPE = (2, 3)
DEADLINE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """What a batch left, to be judged.

    The tail is what the last output buffer holds behind its data; the buffers in use and the tasks
    pending are those after everything was waited for.
    """

    inputs: Any
    outputs: Any
    status_codes: Any
    tail: Any
    n_in_use: int
    n_pending: int


class ChunkedSubject(CompiledSubject):
    """A batch of two full chunks and a smaller one, a thread a run.

    The write-back thread starts outside of the trials and goes on from one to the next: it is the
    library's, not a simulated thread.
    """

    make_watcher: Callable[[], WritebackWatcher] = WritebackWatcher
    make_transfer: Callable[[BatchShape, WritebackWatcher], BatchTransfer] = BatchTransfer

    def __init__(self, build: Callable[[], Any], n_threads: int) -> None:
        super().__init__(build, (allocators, kernels), n_threads)
        run_bytes = int(np.prod(RUN_SHAPE)) * np.dtype(np.float32).itemsize
        self.shape = BatchShape(
            run_shape=RUN_SHAPE,
            n_runs=2 * n_threads + max(1, n_threads // 2),
            memory_limit_bytes=n_threads * run_bytes,
        )
        self._watcher = self.make_watcher()

    def build_kernel(self) -> Any:
        """Build a kernel, and have the watcher run."""
        self._watcher.start()
        return super().build_kernel()

    def make_arguments(self) -> Sequence[Any]:
        """Return a chunk's outputs and inputs, the status codes, and the chunk's two numbers."""
        chunk = np.zeros(self.shape.device_shape, dtype=np.float32)
        return chunk, chunk, np.zeros(self.shape.n_chunks, np.float32), 0, self.n_threads

    def find_footprint(self) -> Footprint:
        """Return a working array, which the plain kernel has not, at most."""
        return Footprint(local_bytes=4 * RUN_SHAPE[1])

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> Any:
        """Run the batch, wait for everything, and return what it left."""
        if shape is None:
            return self._launch(kernel, self.make_transfer(self.shape, self._watcher), None)
        # What other launches have pending is not this one's.
        watcher = self.make_watcher()
        watcher.start()
        try:
            return self._launch(kernel, self.make_transfer(self.shape, watcher), shape)
        finally:
            watcher.shutdown()

    def _launch(self, kernel: Any, transfer: BatchTransfer, shape: LaunchShape | None) -> Any:
        transfer.inputs[...] = np.arange(transfer.inputs.size, dtype=np.float32).reshape(
            transfer.inputs.shape
        )
        n_blocks, threads_per_block = self.find_grid(shape)

        def launch_chunk(chunk: DeviceChunk) -> None:
            # Always the chunk's stream: only there does the launch wait for the copies.
            kernel[n_blocks, threads_per_block, transfer.stream](
                chunk.outputs, chunk.inputs, chunk.status_codes, chunk.index, chunk.n_runs
            )

        try:
            transfer.run(launch_chunk)
        except Exception:
            # What is pending belongs to this trial, not to the next one.
            with contextlib.suppress(Exception):
                transfer.watcher.wait_all(DEADLINE_S)
            raise
        transfer.wait_pending(DEADLINE_S)
        if not config.ENABLE_CUDASIM:
            cuda.synchronize()
        result = BatchResult(
            inputs=transfer.inputs,
            outputs=np.array(transfer.outputs),
            status_codes=np.array(transfer.status_codes),
            tail=transfer.find_tail(),
            n_in_use=transfer.pool.n_in_use,
            n_pending=transfer.watcher.n_pending,
        )
        transfer.release_buffers()
        if config.ENABLE_CUDASIM:
            return result
        damages = (guarded.read().damage for guarded in transfer.guarded)
        return GuardedOutput(result, next(filter(None, damages), ""))

    def describe_mismatch(self, output: BatchResult) -> str:
        """Compare with the formula; nothing may be unwritten, in use or pending."""
        if output.n_in_use or output.n_pending:
            return (
                f"{output.n_in_use} buffers in use and {output.n_pending} tasks pending at the end"
            )
        if (output.tail != SENTINEL).any():
            return "the tail of the last buffer, behind its data, was written"
        column = np.arange(RUN_SHAPE[1], dtype=np.float32)[None, :, None]
        difference = describe_difference(output.outputs, 2 * output.inputs + column)
        if difference:
            n_unwritten = int((output.outputs == SENTINEL).sum())
            return f"{difference}; {n_unwritten} were never written"
        first = np.arange(self.shape.n_chunks) * self.shape.chunk_runs
        n_runs = np.minimum(self.shape.chunk_runs, self.shape.n_runs - first)
        wrong_status = describe_difference(output.status_codes, n_runs.astype(np.float32))
        return wrong_status and f"of the status codes, {wrong_status}"


def chunked_local(n_threads: int = N_THREADS) -> Subject:
    """Return the workload: the kernel's working array comes from another module."""

    def build() -> Any:
        allocate_work = allocators.build_local_allocator(RUN_SHAPE[1])
        return kernels.build_local_kernel(allocate_work, RUN_SHAPE)

    return ChunkedSubject(build, n_threads)


def chunked_plain(n_threads: int = N_THREADS) -> Subject:
    """Return the control: the same transfers, and a kernel without a helper."""
    return ChunkedSubject(lambda: kernels.build_plain_kernel(RUN_SHAPE), n_threads)
