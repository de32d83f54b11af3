"""A stand-in for the CUDA interface that writes down what a chunked transfer does, in order.

It passes each call on, to the simulator or to a device, whichever numba was imported for. In the
simulator, whose events cannot be asked, it answers for them: not yet, until everything is waited
for.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from numba import config, cuda

from mwe.workloads.chunked.pool import ChunkBufferPool
from mwe.workloads.chunked.transfers import SENTINEL, BatchTransfer
from mwe.workloads.chunked.watcher import WritebackWatcher


@dataclass(frozen=True, kw_only=True)
class Step:
    """One call: what was done, with which object, on which stream."""

    kind: str  # acquire, copy-in, launch, record, copy-out, not-yet, complete, release
    thing: Any = None  # a buffer's array, the other array, an event, or the launch's arguments
    stream: Any = None
    name: str = ""  # which array a buffer was acquired for
    n_unwritten: int = 0  # elements of the host's outputs that nothing was copied to yet


class RecordedEvent:
    """An event that writes down when it is recorded, asked, and complete."""

    def __init__(self, event: Any, recorder: Recorder) -> None:
        self._event, self._recorder = event, recorder

    def record(self, stream: Any = 0) -> None:
        """Record it on a stream."""
        self._recorder.note("record", self, stream)
        self._event.record(stream)

    def query(self) -> bool:
        """Say whether it has completed."""
        may_complete = self._recorder.may_complete
        answer = may_complete.is_set() if config.ENABLE_CUDASIM else self._event.query()
        self._recorder.note("complete" if answer else "not-yet", self)
        return answer


class RecordedKernel:
    """A kernel whose launches are written down."""

    def __init__(self, kernel: Any, recorder: Recorder) -> None:
        self._kernel, self._recorder = kernel, recorder

    def __getitem__(self, grid: tuple[Any, ...]) -> Any:
        """Return what launches it on a grid."""

        def launch(*arguments: Any) -> None:
            self._recorder.note("launch", arguments, grid[2])
            try:
                self._kernel[grid](*arguments)
            except Exception:
                # Nothing more is queued, and somebody waits for what is.
                self._recorder.may_complete.set()
                raise

        return launch


class Recorder:
    """The steps of one batch, and which arrays are pinned."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.transfer: BatchTransfer | None = None
        self.may_complete = threading.Event()  # events of the simulator
        self._pinned: list[Any] = []

    def is_pinned(self, array: Any) -> bool:
        """Whether an array, not a view of it, came from `pinned_array`."""
        return any(array is pinned for pinned in self._pinned)

    def note(self, kind: str, thing: Any = None, stream: Any = None, name: str = "") -> None:
        """Write a step down; several threads may."""
        outputs = getattr(self.transfer, "outputs", ())
        n_unwritten = int((np.asarray(outputs) == SENTINEL).sum())
        self.steps.append(
            Step(kind=kind, thing=thing, stream=stream, name=name, n_unwritten=n_unwritten)
        )

    @contextmanager
    def listen(self) -> Any:
        """Write down what is done in this block."""
        recorder = self
        pinned_array, to_device, make_event = cuda.pinned_array, cuda.to_device, cuda.event
        device_array = type(to_device(np.zeros(1, np.float32)))
        copy_to_host = device_array.copy_to_host
        acquire, release = ChunkBufferPool.acquire, ChunkBufferPool.release
        wait_all = WritebackWatcher.wait_all

        def note_pinned(*arguments: Any, **settings: Any) -> Any:
            recorder._pinned.append(pinned_array(*arguments, **settings))
            return recorder._pinned[-1]

        def make_recorded_event() -> RecordedEvent:
            return RecordedEvent(make_event(), recorder)

        def note_copy_in(array: Any, stream: Any = 0, **settings: Any) -> Any:
            recorder.note("copy-in", array, stream)
            return to_device(array, stream=stream, **settings)

        def note_copy_out(self: Any, ary: Any = None, stream: Any = 0) -> Any:
            recorder.note("copy-out", ary, stream)
            return copy_to_host(self, ary, stream=stream)

        def note_acquire(self: Any, name: str, *arguments: Any) -> Any:
            buffer = acquire(self, name, *arguments)
            recorder.note("acquire", buffer.array, name=name)
            return buffer

        def note_release(self: Any, buffer: Any) -> None:
            recorder.note("release", buffer.array)
            release(self, buffer)

        def wait_until_complete(self: Any, timeout: float | None = None) -> None:
            recorder.may_complete.set()
            wait_all(self, timeout)

        with (
            mock.patch.object(cuda, "pinned_array", note_pinned),
            mock.patch.object(cuda, "to_device", note_copy_in),
            mock.patch.object(cuda, "event", make_recorded_event),
            mock.patch.object(device_array, "copy_to_host", note_copy_out),
            mock.patch.object(ChunkBufferPool, "acquire", note_acquire),
            mock.patch.object(ChunkBufferPool, "release", note_release),
            mock.patch.object(WritebackWatcher, "wait_all", wait_until_complete),
        ):
            yield
