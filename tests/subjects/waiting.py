"""Programs whose thread 0 waits for thread 1, by each of the standard library's means."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from mwe.schedules.explore.turn_taking import MAX_CALLS_BETWEEN_STARTS
from tests.subjects.programs import ProgramSubject

Functions = Sequence[Callable[[], None]]
PROGRAMS: dict[str, Callable[[list[str]], Functions]] = {}


def program(make: Any) -> Any:
    """Keep a program under the name of its function."""
    PROGRAMS[make.__name__] = make
    return make


def make_subject(name: str) -> ProgramSubject:
    """Return the subject of a program; its result is what was noted, in order."""
    notes: list[str] = []

    def set_up() -> Functions:
        notes.clear()
        return PROGRAMS[name](notes)

    return ProgramSubject(set_up, lambda: " ".join(notes))


def _hold_and_take(lock: Any, notes: list[str]) -> Functions:
    # Taken by the thread that launches; whoever comes second waits for the first.
    def run():
        with lock:
            notes.append("in")
            notes.append("out")

    return run, run


@program
def lock(notes):
    """Hold a lock."""
    return _hold_and_take(threading.Lock(), notes)


@program
def rlock(notes):
    """Hold a lock that can be taken again."""
    return _hold_and_take(threading.RLock(), notes)


@program
def condition(notes):
    """Wait for a condition."""
    changed = threading.Condition()

    def wait():
        with changed:
            while not notes:
                changed.wait()
            notes.append("out")

    def notify():
        with changed:
            notes.append("in")
            changed.notify_all()

    return wait, notify


@program
def polling(notes):
    """Poll a thread of one's own; that of the other thread makes many calls first."""
    happened = threading.Event()

    def run_and_poll(function):
        thread = threading.Thread(target=function)
        thread.start()
        while thread.is_alive():
            pass

    def wait():
        run_and_poll(happened.wait)
        notes.append("out")

    def work():
        for _ in range(2 * MAX_CALLS_BETWEEN_STARTS):
            do_nothing()
        notes.append("in")
        happened.set()

    def do_nothing():
        pass

    return wait, lambda: run_and_poll(work)


@program
def event(notes):
    """Wait for an event."""
    happened = threading.Event()

    def wait():
        happened.wait()
        notes.append("out")

    def happen():
        notes.append("in")
        happened.set()

    return wait, happen


@program
def thread_queue(notes):
    """Wait for an item."""
    items = queue.Queue()

    def take():
        notes.append(items.get())
        notes.append("out")

    def put():
        items.put("in")

    return take, put


@program
def barrier(notes):
    """Wait for each other, twice."""
    together = threading.Barrier(2)

    def run():
        together.wait()
        if together.wait() == 0:
            notes.append("in")
            notes.append("out")

    return run, run


@program
def pool(notes):
    """Wait for the result of a pool's thread, which waits for thread 1."""
    begun = threading.Event()

    def work():
        begun.wait()
        notes.append("in")

    def wait():
        with ThreadPoolExecutor(1) as workers:
            workers.submit(work).result()
        notes.append("out")

    return wait, begun.set


@program
def sleep(notes):
    """Sleep until thread 1 has been there."""

    def wait():
        while not notes:
            time.sleep(0.0005)
        notes.append("out")

    def note():
        notes.append("in")

    return wait, note


class TwoLocksSubject(ProgramSubject):
    """Takes two locks in opposite order: a deadlock if a thread has one each."""

    def __init__(self) -> None:
        super().__init__(self.make_threads, lambda: 1)

    def make_threads(self) -> Functions:
        """Return two functions that take the same two locks."""
        one, other = threading.Lock(), threading.Lock()

        def run(first: Any, second: Any) -> None:
            with first, second:
                pass

        return (lambda: run(one, other)), (lambda: run(other, one))
