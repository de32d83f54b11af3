"""The watcher of the chunked transfer: what it waits for, and how it ends."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from mwe.targets import Target, prepare_target

prepare_target(Target.SIMULATOR)

from mwe.workloads.chunked.pool import ChunkBufferPool  # noqa: E402 (needs the simulator)
from mwe.workloads.chunked.watcher import BufferTask, WritebackWatcher  # noqa: E402


class Event:
    """An event that completes when it is told to."""

    def __init__(self):
        self.done = threading.Event()

    def query(self):
        """Say whether it has completed."""
        return self.done.is_set()


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


class ExitingEvent:
    """An event of a driver that ends its thread."""

    def query(self):
        """Do not answer."""
        raise SystemExit("driver")


def test_a_system_exit_in_the_thread_is_raised_like_any_error(watcher):
    """It is raised in wait_all, and the thread takes the next task."""
    pool = ChunkBufferPool(1)
    for event, error in ((ExitingEvent(), SystemExit), (None, None)):
        buffer = pool.acquire("a", (4,), np.float32)
        watcher.submit(BufferTask(event=event, buffer=buffer, pool=pool))
        if error is None:
            watcher.wait_all(10)
        else:
            with pytest.raises(error, match="driver"):
                watcher.wait_all(10)
        assert pool.n_in_use == 0


class MortalWatcher(WritebackWatcher):
    """Has threads of which the first ends without a word, as all of a forked process do."""

    def __init__(self):
        self.may_end = threading.Event()
        super().__init__()

    def _run(self):
        """End the first when it is told to, and with its tasks undone."""
        if self.may_end.is_set():
            super()._run()
        self.may_end.wait()


@pytest.fixture
def bereft():
    """Return a watcher whose thread has ended without its one task, and the task's buffer."""
    watcher, pool = MortalWatcher(), ChunkBufferPool(1)
    watcher.start()
    buffer = pool.acquire("a", (4,), np.float32)
    watcher.submit(BufferTask(event=None, buffer=buffer, pool=pool))
    watcher.may_end.set()
    watcher._thread.join()
    yield watcher, pool
    watcher.shutdown()


def test_waiting_ends_where_nobody_will_finish_what_is_pending(bereft):
    """Without a thread wait_all says so, however long it may wait."""
    watcher, _pool = bereft
    with pytest.raises(RuntimeError, match="1 tasks are pending, and the watcher does not run"):
        watcher.wait_all(20)


def test_a_thread_that_ends_while_others_wait_is_noticed():
    """Who waits already is told as well."""
    watcher, pool = MortalWatcher(), ChunkBufferPool(1)
    watcher.start()
    watcher.submit(BufferTask(event=None, buffer=pool.acquire("a", (4,), np.float32), pool=pool))
    threading.Timer(0.1, watcher.may_end.set).start()
    with pytest.raises(RuntimeError, match="does not run"):
        watcher.wait_all(20)


def test_a_new_thread_goes_on_with_what_another_has_left(bereft):
    """After a start the task is finished, and its buffer comes back."""
    watcher, pool = bereft
    watcher.start()
    watcher.wait_all(10)
    assert (pool.n_in_use, watcher.n_pending) == (0, 0)


def test_a_shutdown_gives_up_an_event_that_never_completes():
    """It ends after its deadline and says so; only what may still be written is lost."""
    watcher, pool = WritebackWatcher(), ChunkBufferPool(2)
    watcher.start()
    written, ready = (pool.acquire("a", (4,), np.float32) for _ in range(2))
    ready.array[...] = 3
    host = np.zeros(4, np.float32)
    watcher.submit(BufferTask(event=Event(), buffer=written, pool=pool))
    watcher.submit(BufferTask(event=None, buffer=ready, pool=pool, target=host, data_shape=(4,)))
    with pytest.raises(TimeoutError, match=r"2 tasks were given up: still pending after 0.05 s"):
        watcher.shutdown(0.05)
    assert (host == 3).all()
    assert (pool.n_in_use, pool._free, watcher.n_pending) == (0, [ready], 0)
    with pytest.raises(TimeoutError, match="an event did not complete"):
        watcher.wait_all(10)


def test_a_watcher_that_gave_up_can_be_started_again():
    """The next thread takes tasks, and nothing of the last one's end is left."""
    watcher, pool = WritebackWatcher(), ChunkBufferPool(1)
    watcher.start()
    lost = pool.acquire("a", (4,), np.float32)
    watcher.submit(BufferTask(event=Event(), buffer=lost, pool=pool))
    with pytest.raises(TimeoutError):
        watcher.shutdown(0.05)
    with pytest.raises(TimeoutError):
        watcher.wait_all(10)
    watcher.start()
    watcher.submit(BufferTask(event=None, buffer=pool.acquire("a", (4,), np.float32), pool=pool))
    watcher.wait_all(10)
    watcher.shutdown(10)
    assert pool.n_in_use == 0


class StuckWatcher(WritebackWatcher):
    """Does not come back from a task, as from a driver that hangs, until it is told to."""

    def __init__(self):
        self.goes_on = threading.Event()
        super().__init__()

    def finish(self, task):
        """Hang."""
        self.goes_on.wait()
        super().finish(task)


def test_a_thread_that_does_not_end_takes_no_task_and_keeps_nobody_waiting():
    """Neither a start nor a task nor a wait counts on a thread that shutdown could not end."""
    watcher, pool = StuckWatcher(), ChunkBufferPool(1)
    watcher.start()
    task = BufferTask(event=None, buffer=pool.acquire("a", (4,), np.float32), pool=pool)
    watcher.submit(task)
    with pytest.raises(TimeoutError, match="1 tasks were given up"):
        watcher.shutdown(0.05)
    with pytest.raises(RuntimeError, match="does not end; use a new watcher"):
        watcher.start()
    with pytest.raises(RuntimeError, match="start it first"):
        watcher.submit(task)
    with pytest.raises(RuntimeError, match="does not run"):
        watcher.wait_all(20)
    watcher.goes_on.set()
