"""Delay injection: pause simulated threads at random lines, so that their calls overlap."""

from __future__ import annotations

import contextlib
import itertools
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from types import FrameType
from typing import Any

Trace = Callable[[FrameType, str, Any], Any]


@dataclass(frozen=True, kw_only=True)
class DelayInjection:
    """Pause the threads that a trial starts, at random line events.

    A pause only decides when a thread runs, so each failure it provokes is an interleaving that
    the operating system could have chosen. The seed fixes each thread's decisions, not the
    schedule: which thread runs meanwhile is still the operating system's choice.

    It traces every frame of the threads started while it is applied, those of the standard
    library's `threading` excepted, and knows no name of the simulator's, so it stays valid when
    the simulator is rewritten. It misses races inside one line and inside C code. The thread that
    launches is never paused.

    Source: random delays at instrumented points are those of Edelstein et al., "Multithreaded
    Java program test generation", IBM Systems Journal 41(1), 2002.

    Attributes
    ----------
    probability
        Of a pause at a line event, in [0, 1]: 0 traces without pausing, 1 pauses at each line.
    pause_s
        Length of one pause in seconds, not the trial's total.
    switch_interval_s
        The interpreter's switch interval during the trial, in seconds. The launching thread polls
        in a loop; with the default of 5 ms it holds the interpreter lock most of the time.
    """

    probability: float = 0.3
    pause_s: float = 50e-6
    switch_interval_s: float = 20e-6

    @contextlib.contextmanager
    def applied(self, trial_seed: str) -> Iterator[None]:
        """Trace and pause every thread started inside, until the block is left.

        Threads that outlive the block keep being traced; join them inside it.

        Parameters
        ----------
        trial_seed
            Fixes the decisions: thread k (in order of its first event) draws from a generator
            seeded with this text and k.
        """
        order = itertools.count()
        switch_interval_s = sys.getswitchinterval()
        sys.setswitchinterval(self.switch_interval_s)
        threading.settrace(lambda *event: self._start_thread(f"{trial_seed}/{next(order)}", *event))
        try:
            yield
        finally:
            threading.settrace(None)
            sys.setswitchinterval(switch_interval_s)

    def _start_thread(self, thread_seed: str, frame: FrameType, event: str, arg: Any) -> Any:
        draw = Random(thread_seed).random
        probability, pause_s, sleep = self.probability, self.pause_s, time.sleep
        untraced_file = threading.__file__

        def trace_line(_frame: FrameType, event: str, _arg: Any) -> Trace:
            if event == "line" and draw() < probability:
                sleep(pause_s)
            return trace_line

        def trace_call(frame: FrameType, _event: str, _arg: Any) -> Trace | None:
            return None if frame.f_code.co_filename == untraced_file else trace_line

        sys.settrace(trace_call)
        return trace_call(frame, event, arg)
