"""Two host threads that launch a kernel once each, and what both launches should have done."""

from __future__ import annotations

import contextlib
import itertools
import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np

from mwe.workloads.subject import LaunchRefusedError, LaunchShape, Subject

# Of a kernel, for the other host thread, which takes a millisecond on an idle machine. A release
# that has the second launch wait for the end of the first takes so long in each trial.
MAX_WAIT_S = 5e-3
# What upstream says, in an AssertionError, where it refuses to launch during another launch.
REFUSAL = "concurrent simulated kernel not supported"

Meet = Callable[[], None]


class Order(Enum):
    """How the two launches are ordered."""

    AT_ONCE = "nothing orders them"
    IN_TURN = "the second host thread starts when the first has ended"
    LOCKED = "each host thread holds a lock while it launches"


@dataclass
class Launch:
    """One of the two launches, and what became of it."""

    output: Any  # an array of integers, zeros at first
    was_tried: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    is_refused: bool = False


class HostLaunches(Subject):
    """Each of two host threads launches the kernel once, with an output of its own.

    A launch must have the effect that it has alone. One that is refused must have none, and the
    other one is judged all the same. Where the launches do not overlap there is no reason to
    refuse any, so there it is a failure.

    Parameters
    ----------
    order
        How the launches are ordered.
    n_threads
        Of each launch.
    expected
        The output of a launch alone.
    """

    def __init__(self, order: Order, n_threads: int, expected: Sequence[int]) -> None:
        self._order = order
        self._expected = np.array(expected)
        self.n_threads = self.threads_per_block = n_threads

    @abstractmethod
    def launch_once(self, kernel: Any, output: Any, meet: Meet) -> None:
        """Launch the kernel, each thread of which calls `meet`, and wait for it."""

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> list[Launch]:
        """Launch from both host threads, and return what became of it; it knows no shape.

        The kernel of each waits until the other was tried, so that they overlap unless a lock or
        their order prevents it. A wait that runs into its limit decides nothing: the launches are
        judged like any others.

        Raises
        ------
        LaunchRefusedError
            If upstream refused a launch and all else is right.
        """
        del shape
        launches = self._launch_from_both_hosts(kernel)
        for launch in launches:
            if launch.error is not None and not launch.is_refused:
                raise launch.error
        refused = next((launch for launch in launches if launch.is_refused), None)
        if refused is not None and not self.describe_mismatch(launches):
            raise LaunchRefusedError(str(refused.error)) from refused.error
        return launches

    def _launch_from_both_hosts(self, kernel: Any) -> list[Launch]:
        first, second = Launch(self._make_output()), Launch(self._make_output())
        order = self._order
        lock = threading.Lock()

        def run(launch: Launch, other: Launch) -> None:
            visits = itertools.count()

            def meet() -> None:
                launch.was_tried.set()
                # One thread keeps its launch running. Of more, each would have to get the
                # interpreter lock back from the host thread, which polls them.
                if next(visits) == 0 and order is not Order.IN_TURN:
                    other.was_tried.wait(MAX_WAIT_S)

            if order is Order.LOCKED:
                launch.was_tried.set()
            try:
                with lock if order is Order.LOCKED else contextlib.nullcontext():
                    self.launch_once(kernel, launch.output, meet)
            except Exception as error:
                launch.error = error
                launch.is_refused = order is Order.AT_ONCE and _says_refused(error)
            launch.was_tried.set()

        hosts = [
            threading.Thread(target=run, args=launches, daemon=True)
            for launches in ((first, second), (second, first))
        ]
        for host in hosts:
            host.start()
            if order is Order.IN_TURN:
                host.join()
        for host in hosts:
            host.join()
        return [first, second]

    def _make_output(self) -> Any:
        return np.zeros_like(self._expected)

    def describe_mismatch(self, output: list[Launch]) -> str:
        """Expect of each launch what it does alone, and nothing of one that was refused."""
        for number, launch in enumerate(output, start=1):
            expected = self._make_output() if launch.is_refused else self._expected
            if not np.array_equal(launch.output, expected):
                what = "refused launch" if launch.is_refused else "launch"
                return (
                    f"{what} {number} of {len(output)} left {launch.output.tolist()}, "
                    f"expected {expected.tolist()}"
                )
        return ""


def _says_refused(error: Exception) -> bool:
    return isinstance(error, AssertionError) and REFUSAL in str(error)
