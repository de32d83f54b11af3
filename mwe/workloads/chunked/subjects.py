"""The subjects of the chunked transfer and the oracle that they share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import config, cuda

from mwe.workloads.chunked import allocator, kernels
from mwe.workloads.chunked.transfers import SENTINEL, BatchShape, BatchTransfer
from mwe.workloads.chunked.watcher import WritebackWatcher
from mwe.workloads.kernel_subject import N_EARLY_RETURNS, CompiledSubject
from mwe.workloads.subject import GuardedGlobal, GuardedOutput, LaunchShape, Subject

N_THREADS = 12
# Small, because every element of it is paced.
RUN_SHAPE = (2, 3)
DEADLINE_S = 10.0


@dataclass(frozen=True, kw_only=True)
class BatchResult:
    """What a batch left, to be judged.

    Attributes
    ----------
    tail
        What the last output buffer holds behind its data.
    n_in_use, n_pending
        Buffers and tasks after everything was waited for.
    """

    inputs: Any
    outputs: Any
    tail: Any
    n_in_use: int
    n_pending: int


class ChunkedSubject(CompiledSubject):
    """A batch of two full chunks and a smaller one, a thread a run.

    The write-back thread starts outside of the trials and goes on from one to the next: it is the
    library's, not a simulated thread.
    """

    def __init__(self, build: Callable[[], Any], n_threads: int | None) -> None:
        self._build = build
        self.n_threads = N_THREADS if n_threads is None else n_threads
        self.threads_per_block = self.n_threads + N_EARLY_RETURNS
        modules = (allocator, kernels)
        self.user_files = frozenset(str(each.__file__) for each in modules)
        self.guarded_globals = [GuardedGlobal(each, "cuda", cuda) for each in modules]
        run_bytes = int(np.prod(RUN_SHAPE)) * np.dtype(np.float32).itemsize
        self.shape = BatchShape(
            run_shape=RUN_SHAPE,
            n_runs=2 * self.n_threads + max(1, self.n_threads // 2),
            memory_limit_bytes=self.n_threads * run_bytes,
        )
        self._watcher = self.make_watcher()

    def make_watcher(self) -> WritebackWatcher:
        """Return the watcher of all trials in this process."""
        return WritebackWatcher()

    def make_transfer(self, watcher: WritebackWatcher | None = None) -> BatchTransfer:
        """Return the transfer of one launch, with the watcher of all of them or its own."""
        return BatchTransfer(self.shape, watcher or self._watcher)

    def build_kernel(self) -> Any:
        """Build a kernel, and have the watcher run."""
        self._watcher.start()
        return self._build()

    def make_arguments(self) -> Sequence[Any]:
        """Return a chunk's outputs and inputs, and its number of runs."""
        chunk = np.zeros(self.shape.device_shape, dtype=np.float32)
        return chunk, chunk, self.n_threads

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> Any:
        """Run the batch, wait for everything, and return what it left."""
        if shape is None:
            return self._launch(kernel, self.make_transfer(), None)
        # What other launches have pending is not this one's.
        watcher = self.make_watcher()
        watcher.start()
        try:
            return self._launch(kernel, self.make_transfer(watcher), shape)
        finally:
            watcher.shutdown()

    def _launch(self, kernel: Any, transfer: BatchTransfer, shape: LaunchShape | None) -> Any:
        transfer.inputs[...] = np.arange(transfer.inputs.size, dtype=np.float32).reshape(
            transfer.inputs.shape
        )

        def launch_chunk(outputs: Any, inputs: Any, n_chunk: int) -> None:
            if config.ENABLE_CUDASIM:
                kernel[1, self.threads_per_block](outputs, inputs, n_chunk)
                return
            n_blocks, threads_per_block = 1, self.threads_per_block
            if shape is not None:
                n_blocks = shape.find_n_blocks(self.n_threads + N_EARLY_RETURNS)
                threads_per_block = shape.threads_per_block
            # Always the chunk's stream: only there does the launch wait for the copies.
            kernel[n_blocks, threads_per_block, transfer.stream](outputs, inputs, n_chunk)

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
            tail=find_tail(transfer),
            n_in_use=transfer.pool.n_in_use,
            n_pending=transfer.watcher.n_pending,
        )
        transfer.release_buffers()
        if config.ENABLE_CUDASIM:
            return result
        damages = (each.read().damage for each in transfer.guarded)
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
        expected = 2 * output.inputs + column
        wrong = np.argwhere(output.outputs != expected)
        if not wrong.size:
            return ""
        place = tuple(int(each) for each in wrong[0])
        n_unwritten = int((output.outputs == SENTINEL).sum())
        return (
            f"output{list(place)} is {output.outputs[place]}, expected {expected[place]} "
            f"({len(wrong)} elements differ, {n_unwritten} were never written)"
        )


def find_tail(transfer: BatchTransfer) -> Any:
    """Return the elements of the last output buffer behind its data; none without a buffer."""
    if transfer.last_output is None:
        return np.empty(0, np.float32)
    buffer, n_chunk = transfer.last_output
    return np.array(buffer.array[..., n_chunk:])


def _build_local() -> Any:
    return kernels.build_local_kernel(allocator.build_allocator(RUN_SHAPE[1]), RUN_SHAPE)


def _build_plain() -> Any:
    return kernels.build_plain_kernel(RUN_SHAPE)


def chunked_local(n_threads: int | None = None) -> Subject:
    """Return the workload: the kernel's working array comes from another module."""
    return ChunkedSubject(_build_local, n_threads)


def chunked_plain(n_threads: int | None = None) -> Subject:
    """Return the control: the same transfers, and a kernel without a helper."""
    return ChunkedSubject(_build_plain, n_threads)
