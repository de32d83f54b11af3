"""Threads with a class of their own, a hook or no trace function, and three at once."""

from __future__ import annotations

import gc
import sys
import threading

from tests.subjects.programs import ProgramSubject, explore, make_notes


class NotingThread(threading.Thread):
    """Notes two marks in its own run."""

    def __init__(self, name, note):
        super().__init__(daemon=True)
        self.marks = f"{name}1", f"{name}2"
        self.note = note

    def run(self):
        """Note both."""
        self.note(self.marks[0])
        self.note(self.marks[1])


class NotingSubject(ProgramSubject):
    """Starts two of them."""

    def launch(self, kernel, shape=None):
        """Run the threads and return the order of their marks."""
        order = []
        threads = [NotingThread(name, order.append) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.results.append(" ".join(order))
        return self.results[-1]


def test_the_run_of_a_threads_own_class_is_explored():
    """Two and two marks come in all 4! / (2! 2!) = 6 orders."""
    explored = explore(NotingSubject(tuple, str), 2)
    assert len(explored.results) == 6


def test_three_threads_end_in_each_order_that_a_switch_can_give():
    """A point that does not matter is kept where it is the last chance to choose who goes on."""
    order = []

    def set_up():
        order.clear()
        return (
            run_first,
            (lambda note=order.append: note("b")),
            (lambda note=order.append: note("c")),
        )

    def run_first(note=order.append):
        note("a")
        NotingThread  # noqa: B018 (a read at the end)

    subject = ProgramSubject(set_up, lambda: "".join(order))
    everything = explore(subject, 1, 3, leaves_out=False)
    assert "acb" in everything.results
    assert set(explore(subject, 1, 3).results) == set(everything.results)


def test_a_hook_for_exceptions_holds_nobody_up(monkeypatch):
    """It runs behind the thread's end, in the thread; each schedule ends all the same."""
    order = []
    monkeypatch.setattr(threading, "excepthook", lambda _arguments: order.append("hook"))

    def fail():
        order.append("a")
        raise RuntimeError("planted")

    def set_up():
        order.clear()
        return fail, lambda: order.append("b")

    explored = explore(ProgramSubject(set_up, lambda: " ".join(sorted(order))), 1)
    assert explored.results == {"a b hook": len(explored.plans)}


def test_a_thread_that_ends_its_tracing_holds_nobody_up():
    """Nobody hears of its end, and its turn goes on all the same."""
    order = []

    def run_deaf():
        order.append("a")
        sys.settrace(None)

    def set_up():
        order.clear()
        return run_deaf, lambda: order.append("b")

    explored = explore(ProgramSubject(set_up, lambda: "".join(sorted(order))), 0)
    assert explored.results == {"ab": 2}


def test_no_collection_runs_while_threads_take_turns():
    """One would call what it likes at any point, so that no schedule was the same twice."""
    seen = []

    def hear(phase, _info):
        seen.append(sys.getswitchinterval() > 0.05)

    def end(order):
        gc.collect(0)  # by hand it may
        for _ in range(3000):
            seen.append([])
        del seen[-3000:]
        return order

    gc.callbacks.append(hear)
    threshold = gc.get_threshold()
    gc.set_threshold(10)
    try:
        explored = explore(make_notes(2, 2, end=end), 1)
    finally:
        gc.set_threshold(*threshold)
        gc.callbacks.remove(hear)
    # Collecting by hand is heard twice in each run, and in the survey.
    assert sum(seen) == 2 * (len(explored.plans) + 1)
