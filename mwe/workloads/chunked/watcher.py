"""The thread that copies finished chunks to the host array and gives their buffers back."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from typing import Any

from numba import config, cuda

from mwe.workloads.chunked.pool import ChunkBuffer, ChunkBufferPool

POLL_PERIOD_S = 0.0005


@dataclass(frozen=True, kw_only=True)
class BufferTask:
    """A buffer that is used by the device until an event."""

    event: Any  # recorded behind the last use
    buffer: ChunkBuffer
    pool: ChunkBufferPool
    target: Any = None  # the view of the host array that gets the data; None for an input
    data_shape: tuple[int, ...] = ()  # of the data: the last chunk is smaller than its buffer


class WritebackWatcher:
    """Finishes tasks in a daemon thread, one after another."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[BufferTask | None] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._changed = threading.Condition()
        self._n_pending = 0
        self._error: Exception | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, unless it runs."""
        with self._starting:
            if not self._runs():
                # A queue of its own: what ended the last thread must not end this one.
                self._tasks = queue.SimpleQueue()
                self._thread = threading.Thread(
                    target=self._run, args=(self._tasks,), name="writeback", daemon=True
                )
                self._thread.start()

    def submit(self, task: BufferTask) -> None:
        """Hand a task over.

        Raises
        ------
        RuntimeError
            If the thread does not run: nobody would finish it.
        """
        with self._starting:
            if not self._runs():
                raise RuntimeError("the watcher does not run; start it first")
            with self._changed:
                self._n_pending += 1
            self._tasks.put(task)

    def wait_all(self, timeout: float | None = None) -> None:
        """Wait until nothing is pending.

        Raises
        ------
        TimeoutError
            If that takes longer than `timeout` seconds.
        Exception
            What a task raised in the thread; the first one since the last call.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: not self._n_pending, timeout):
                raise TimeoutError(f"{self._n_pending} tasks are pending after {timeout:g} s")
            error, self._error = self._error, None
        if error is not None:
            raise error

    def shutdown(self) -> None:
        """Finish what is pending, and end the thread."""
        with self._starting:
            if self._thread is not None:
                self._tasks.put(None)
                self._thread.join()
            self._thread = None

    @property
    def n_pending(self) -> int:
        """Tasks that were submitted and are not finished."""
        with self._changed:
            return self._n_pending

    def _runs(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self, tasks: queue.SimpleQueue[BufferTask | None]) -> None:
        while (task := tasks.get()) is not None:
            error = None
            try:
                self.finish(task)
            except Exception as raised:
                error = raised
            with self._changed:
                self._error = self._error or error
                self._n_pending -= 1
                self._changed.notify_all()

    def finish(self, task: BufferTask) -> None:
        """Wait for the event, copy the data out, and give the buffer back, whatever happens."""
        try:
            wait_for_event(task.event)
        except Exception:
            # The device may still use it.
            task.pool.discard(task.buffer)
            raise
        try:
            if task.target is not None:
                data = tuple(slice(0, length) for length in task.data_shape)
                task.target[...] = task.buffer.array[data]
        finally:
            task.pool.release(task.buffer)


def wait_for_event(event: Any) -> None:
    """Poll an event; where it cannot be asked, as in the simulator, it counts as complete."""
    if not config.ENABLE_CUDASIM:
        # The driver answers threads that have the device's context only.
        cuda.current_context()
    has_completed = getattr(event, "query", None)
    while has_completed is not None and not has_completed():
        time.sleep(POLL_PERIOD_S)
