"""The thread that copies finished chunks to the host array and gives their buffers back."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numba import config, cuda

from mwe.workloads.chunked.pool import ChunkBuffer, ChunkBufferPool

POLL_PERIOD_S = 0.0005
# Who waits looks so often whether there is a thread that could end the wait.
CHECK_PERIOD_S = 0.05
# An event that has not completed by then never will.
SHUTDOWN_TIMEOUT_S = 10.0


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
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None
        self._has_given_up = threading.Event()

    def start(self) -> None:
        """Start the thread, unless it runs; a new one goes on with what another has left.

        Raises
        ------
        RuntimeError
            If the thread of the last shutdown has still not ended.
        """
        with self._starting:
            if self._runs():
                return
            if self._thread is not None and self._thread.is_alive():
                raise RuntimeError("the watcher's thread does not end; use a new watcher")
            self._has_given_up.clear()
            self._thread = threading.Thread(target=self._run, name="writeback", daemon=True)
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
        RuntimeError
            If tasks are pending and there is no thread to finish them.
        BaseException
            What a task raised in the thread; the first one since the last call.
        """
        deadline_s = math.inf if timeout is None else time.monotonic() + timeout
        with self._changed:
            while self._n_pending:
                if not self._runs():
                    raise RuntimeError(
                        f"{self._n_pending} tasks are pending, and the watcher does not run"
                    ) from self._error
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError(
                        f"{self._n_pending} tasks are pending after {timeout:g} s"
                    ) from self._error
                self._changed.wait(min(left_s, CHECK_PERIOD_S))
            error, self._error = self._error, None
        if error is not None:
            raise error

    def shutdown(self, timeout: float = SHUTDOWN_TIMEOUT_S) -> None:
        """Finish what is pending, and end the thread.

        Raises
        ------
        TimeoutError
            If that takes longer than `timeout` seconds. Each task whose event has not completed by
            then is an error that `wait_all` raises, and its buffer is forgotten.
        """
        with self._starting:
            thread = self._thread
            if thread is None or not self._runs():
                return
            self._tasks.put(None)
            thread.join(timeout)
            if not thread.is_alive():
                return
            n_pending = self.n_pending
            self._has_given_up.set()
            # For the poll to notice, not for the device.
            thread.join(timeout)
            raise TimeoutError(
                f"{n_pending} tasks were given up: still pending after {timeout:g} s"
            )

    @property
    def n_pending(self) -> int:
        """Tasks that were submitted and are not finished."""
        with self._changed:
            return self._n_pending

    def _runs(self) -> bool:
        thread = self._thread
        return thread is not None and thread.is_alive() and not self._has_given_up.is_set()

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            error = None
            try:
                self.finish(task)
            except BaseException as raised:
                # Not even a SystemExit ends the thread: others wait for the counter.
                error = raised
            with self._changed:
                self._error = self._error or error
                self._n_pending -= 1
                self._changed.notify_all()

    def finish(self, task: BufferTask) -> None:
        """Wait for the event, copy the data out, and give the buffer back, whatever happens."""
        try:
            wait_for_event(task.event, self._has_given_up.is_set)
        except BaseException:
            # The device may still use it.
            task.pool.discard(task.buffer)
            raise
        try:
            if task.target is not None:
                data = tuple(slice(0, length) for length in task.data_shape)
                task.target[...] = task.buffer.array[data]
        finally:
            task.pool.release(task.buffer)


def wait_for_event(event: Any, gives_up: Callable[[], bool]) -> None:
    """Poll an event; where it cannot be asked, as in the simulator, it counts as complete.

    Raises
    ------
    TimeoutError
        If `gives_up` answers yes before the event does.
    """
    if not config.ENABLE_CUDASIM:
        # The driver answers threads that have the device's context only.
        cuda.current_context()
    has_completed = getattr(event, "query", None)
    while has_completed is not None and not has_completed():
        if gives_up():
            raise TimeoutError("an event did not complete: the device may still use its buffer")
        time.sleep(POLL_PERIOD_S)
