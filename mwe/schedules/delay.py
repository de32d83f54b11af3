"""Delay injection: pause simulated threads at random steps, so that their calls overlap."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar

from mwe.schedules.events import Granularity, Listener, Pacer
from mwe.schedules.tracing import listen
from mwe.targets import Target


@dataclass(frozen=True, kw_only=True)
class DelayInjection:
    """Pause the threads of a trial at random steps, and where they enter device functions.

    A pause only decides when a thread runs, so each failure it provokes is an interleaving that
    the operating system could have chosen. The seed fixes each thread's decisions, not the
    schedule: which thread runs meanwhile is still the operating system's choice.

    Races around a device function need a thread that stops between what the simulator prepares
    and what the function uses. Rare pauses everywhere find windows that nobody thought of, inside
    the simulator too; a pause of random length at each entry of a device function hits the one
    that is known, at a tenth of the cost of frequent pauses everywhere. Neither names anything of
    the simulator's.

    It misses races inside C code, and those whose window is narrower than a pause is probable:
    with w steps in the window, n threads and probability p, a trial pauses in it with a chance of
    1 - (1 - p)^(n w). The thread that launches is not paused, except that it sleeps while it only
    waits, see `mwe.schedules.tracing.listen`.

    Source: random delays at instrumented points are those of Edelstein et al., "Multithreaded
    Java program test generation", IBM Systems Journal 41(1), 2002.

    The lengths of pauses are uniform between 0 and twice the mean.
    """

    granularity: Granularity = Granularity.INSTRUCTION  # what a step is
    probability: float = 0.01  # of a pause at a step, in [0, 1]
    pause_s: float = 50e-6  # mean length of such a pause
    # Share of the threads that are paused at steps too, in [0, 1]; the others, which a race needs
    # as well, are paused at entries only and cost a third.
    stepped_share: float = 0.5
    # The same for the entry of a device function: one of the user's that another of his called.
    entry_probability: float = 1.0
    entry_pause_s: float = 150e-6
    n_active_threads: int | None = None  # of a trial; None leaves it to the workload
    targets: ClassVar[frozenset[Target]] = frozenset({Target.SIMULATOR})

    @contextlib.contextmanager
    def open(self, user_files: Collection[str]) -> Iterator[Pacer]:
        """Make ready for a batch whose user's functions stand in these files.

        Thread k of a trial, in order of first events, draws from a generator seeded with the
        trial's seed and k. Threads that outlive a trial may still be paused; join them inside it.
        """
        yield lambda trial_seed: listen(
            lambda number: _PausedThread(self, Random(f"{trial_seed}/{number}")),
            self.granularity,
            user_files=user_files,
            outside_user_code=True,
        )


class _PausedThread(Listener):
    """Decides for one thread."""

    def __init__(self, schedule: DelayInjection, random: Random) -> None:
        self._schedule = schedule
        self._draw = random.random
        self._is_first = True
        self.hears_steps = self._draw() < schedule.stepped_share

    def call(self, depth: int) -> None:
        schedule = self._schedule
        if depth > 1 and self._draw() < schedule.entry_probability:
            time.sleep(2 * schedule.entry_pause_s * self._draw())

    def step(self, _depth: int) -> int:
        schedule = self._schedule
        gap = self._draw_gap()
        if self._is_first:
            # The first step is always told; whether it is paused at is drawn like any other's.
            self._is_first = False
            if gap > 1:
                return gap - 1
            gap = self._draw_gap()
        time.sleep(2 * schedule.pause_s * self._draw())
        return gap

    def _draw_gap(self) -> int:
        """Draw the steps from one pause to the next: independent chances make it geometric."""
        probability = self._schedule.probability
        if probability >= 1.0:
            return 1
        if probability <= 0.0:
            return sys.maxsize
        return 1 + int(math.log1p(-self._draw()) / math.log1p(-probability))
