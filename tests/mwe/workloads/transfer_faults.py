"""Batches that are written down step by step: the real transfer, and ones with planted faults."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

import numpy as np
from numba import cuda

from mwe.workloads.chunked import kernels
from mwe.workloads.chunked.pool import ChunkBufferPool
from mwe.workloads.chunked.subjects import RUN_SHAPE, ChunkedSubject
from mwe.workloads.chunked.transfers import BatchShape, BatchTransfer
from mwe.workloads.chunked.watcher import WritebackWatcher, wait_for_event
from tests.mwe.workloads import transfer_rules
from tests.mwe.workloads.transfer_recorder import RecordedKernel, Recorder

N_THREADS = 4
WHOLE = BatchShape(run_shape=RUN_SHAPE, n_runs=N_THREADS, memory_limit_bytes=10**6)


def record_batch(
    make_transfer: Callable[..., BatchTransfer] = BatchTransfer,
    make_watcher: Callable[[], WritebackWatcher] = WritebackWatcher,
    *,
    is_whole: bool = False,
) -> Recorder:
    """Run three chunks, or one array that fits, and return what was written down."""
    recorder = Recorder()

    class Recorded(ChunkedSubject):
        def make_transfer(self, shape: BatchShape, watcher: WritebackWatcher) -> BatchTransfer:
            recorder.transfer = make_transfer(shape, watcher)
            return recorder.transfer

        def make_watcher(self) -> WritebackWatcher:
            return make_watcher()

    with recorder.listen():
        subject = Recorded(lambda: kernels.build_plain_kernel(RUN_SHAPE), N_THREADS)
        if is_whole:
            subject.shape = WHOLE
        kernel = subject.build_kernel()
        subject.launch(RecordedKernel(kernel, recorder))
        subject._watcher.shutdown()
    return recorder


def find_violations(recorded: Recorder) -> dict[str, str]:
    """Return what broke each rule that was broken."""
    rules = transfer_rules.RULES
    if not recorded.transfer.shape.is_chunked:
        rules = {name: rules[name] for name in transfer_rules.RULES_OF_WHOLE_BATCHES}
    found = {name: rule(recorded) for name, rule in rules.items()}
    return {name: violation for name, violation in found.items() if violation}


class NeverPinned(BatchTransfer):
    """Plants plain host arrays where pinned ones fit."""

    def __init__(self, shape: BatchShape, watcher: WritebackWatcher) -> None:
        super().__init__(shape, watcher)
        self.inputs, self.outputs = np.array(self.inputs), np.array(self.outputs)


class AlwaysPinned(BatchTransfer):
    """Plants pinned host arrays of any size."""

    def __init__(self, shape: BatchShape, watcher: WritebackWatcher) -> None:
        super().__init__(shape, watcher)
        for name in ("inputs", "outputs"):
            pinned = cuda.pinned_array(shape.host_shape, np.float32)
            pinned[...] = getattr(self, name)
            setattr(self, name, pinned)


class PlainStatus(BatchTransfer):
    """Plants status codes in plain memory."""

    def __init__(self, shape: BatchShape, watcher: WritebackWatcher) -> None:
        super().__init__(shape, watcher)
        self.status_codes = np.array(self.status_codes)


class PlainPool(ChunkBufferPool):
    """Plants buffers in plain memory."""

    def acquire(self, array_name: str, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return a buffer that is not pinned."""
        with mock.patch.object(cuda, "pinned_array", np.empty):
            return super().acquire(array_name, shape, dtype)


class PlainBuffers(BatchTransfer):
    """Plants such a pool."""

    def __init__(self, shape: BatchShape, watcher: WritebackWatcher) -> None:
        super().__init__(shape, watcher)
        self.pool = PlainPool(8)


class ReleasesAtLaunch(BatchTransfer):
    """Plants an input buffer that is given back as soon as its launch is queued."""

    def submit(self, buffer: Any, target: Any = None, n_chunk: int = 0) -> None:
        """Submit outputs alone."""
        if target is None:
            self.pool.release(buffer)
        else:
            super().submit(buffer, target, n_chunk)


class RecordsEarly(BatchTransfer):
    """Plants an output's event that is recorded before its copy: the one of the input."""

    early: Any = None

    def record_event(self) -> Any:
        """Return each event twice: for the input, and then for the output."""
        event, self.early = self.early, None
        if event is None:
            event = self.early = super().record_event()
        return event


class OneStream(BatchTransfer):
    """Plants one stream for all chunks."""

    def run(self, launch: Any) -> None:
        """Have every chunk get the same."""
        stream = cuda.stream()
        with mock.patch.object(cuda, "stream", return_value=stream):
            super().run(launch)


class LaunchesElsewhere(BatchTransfer):
    """Plants a launch on the default stream beside copies on another."""

    def run(self, launch: Any) -> None:
        """Hide the chunk's stream from the launch."""

        def launch_elsewhere(chunk: Any) -> None:
            stream, self.stream = self.stream, 0
            launch(chunk)
            self.stream = stream

        super().run(launch_elsewhere)


class SlicesStatus(BatchTransfer):
    """Plants status codes that are cut into chunks, which gives the right result all the same."""

    def run(self, launch: Any) -> None:
        """Give each launch its own element."""

        def launch_sliced(chunk: Any) -> None:
            own = chunk.status_codes[chunk.index : chunk.index + 1]
            launch(replace(chunk, status_codes=own, index=0))

        super().run(launch_sliced)


class CopiesStatusPerChunk(BatchTransfer):
    """Plants status codes that are copied to the device for each chunk."""

    def run(self, launch: Any) -> None:
        """Give each launch a new copy."""

        def launch_copied(chunk: Any) -> None:
            launch(replace(chunk, status_codes=self._put_written(self.status_codes)))

        super().run(launch_copied)


class CopiesStatusEarly(BatchTransfer):
    """Plants status codes that are copied out when the launches are queued."""

    def run(self, launch: Any) -> None:
        """Copy them out at once."""
        super().run(launch)
        self._device_status.copy_to_host(self.status_codes)
        self._device_status = None


class NeverWaits(WritebackWatcher):
    """Plants tasks that are finished without a look at their events."""

    def finish(self, task: Any) -> None:
        """Finish at once."""
        super().finish(replace(task, event=None))


class CopiesBeforeWaiting(WritebackWatcher):
    """Plants a host copy that is made before the event has completed."""

    def finish(self, task: Any) -> None:
        """Copy, wait, release."""
        if task.target is not None:
            task.target[...] = task.buffer.array[..., : task.data_shape[-1]]
        super().finish(replace(task, target=None))


class ReleasesBeforeCopying(WritebackWatcher):
    """Plants a buffer that is given back before its data was taken."""

    def finish(self, task: Any) -> None:
        """Wait, release, copy."""
        wait_for_event(task.event, lambda: False)
        task.pool.release(task.buffer)
        if task.target is not None:
            task.target[...] = task.buffer.array[..., : task.data_shape[-1]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A planted fault, and the rule that it breaks."""

    rule: str
    transfer: Callable[..., BatchTransfer] = BatchTransfer
    watcher: Callable[[], WritebackWatcher] = WritebackWatcher
    is_whole: bool = False
    shows_on_device: bool = True

    def record(self) -> Recorder:
        """Run a batch with it."""
        return record_batch(self.transfer, self.watcher, is_whole=self.is_whole)


PINNED = "host_arrays_are_pinned_where_they_fit"
STREAM = "a_chunk_stays_on_its_stream"
INPUTS = "inputs_are_released_behind_the_launch"
OUTPUTS = "outputs_are_released_behind_the_copy_out"
HOST_COPY = "the_host_copy_lies_between_completion_and_release"
WHOLE_ARRAYS = "arrays_without_a_run_axis_are_copied_whole"
FAULTS = {
    "host arrays never pinned": Fault(rule=PINNED, transfer=NeverPinned, is_whole=True),
    "host arrays always pinned": Fault(rule=PINNED, transfer=AlwaysPinned),
    "status codes not pinned": Fault(rule=PINNED, transfer=PlainStatus),
    "pool buffers not pinned": Fault(rule="pool_buffers_are_pinned", transfer=PlainBuffers),
    "one stream for all chunks": Fault(rule=STREAM, transfer=OneStream),
    "launch on another stream": Fault(rule=STREAM, transfer=LaunchesElsewhere),
    "input released at launch": Fault(rule=INPUTS, transfer=ReleasesAtLaunch),
    "input released without event": Fault(rule=INPUTS, watcher=NeverWaits),
    "event recorded before copy out": Fault(rule=OUTPUTS, transfer=RecordsEarly),
    "output released without event": Fault(rule=OUTPUTS, watcher=NeverWaits),
    "host copy before event": Fault(rule=HOST_COPY, watcher=CopiesBeforeWaiting),
    "released before host copy": Fault(rule=HOST_COPY, watcher=ReleasesBeforeCopying),
    "status codes sliced": Fault(rule=WHOLE_ARRAYS, transfer=SlicesStatus),
    "status codes copied per chunk": Fault(rule=WHOLE_ARRAYS, transfer=CopiesStatusPerChunk),
    # On a device the copy itself waits for the launches.
    "status codes copied early": Fault(
        rule=WHOLE_ARRAYS, transfer=CopiesStatusEarly, shows_on_device=False
    ),
}
