"""What is heard of threads by trace functions."""

from __future__ import annotations

import subprocess
import sys
import threading

from mwe.schedules.events import Granularity, Listener
from mwe.schedules.tracing import listen

FILE = "/planted/first.py"


class Counter(Listener):
    """Counts every step."""

    hears_steps = True
    n_steps = 0

    def step(self, _depth):
        """Count it, and ask for the next one."""
        self.n_steps += 1
        return 1


def count_steps(target):
    """Return how many instructions of a function were heard in a thread of its own."""
    counter = Counter()
    with listen(
        lambda _number: counter,
        Granularity.INSTRUCTION,
        user_files=[FILE],
        outside_user_code=False,
    ):
        thread = threading.Thread(target=target)
        thread.start()
        thread.join()
    return counter.n_steps


def compile_function():
    """Return a function that was never called."""
    names = {}
    exec(compile("def run():\n    a = 1\n    return a + a\n", FILE, "exec"), names)  # noqa: S102
    return names["run"]


def print_steps():
    """Count the steps of the first calls in this process; for one that is new."""
    for run in (compile_function(), compile_function()):
        sys.stdout.write(f"{count_steps(run)} {count_steps(run)} ")


def test_the_first_call_of_a_function_is_heard_like_any_other():
    """The first function of a process, and a later one."""
    printed = subprocess.run(
        [sys.executable, "-c", f"import {__name__} as tests; tests.print_steps()"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert len(set(printed)) == 1
    assert int(printed[0]) > 4
