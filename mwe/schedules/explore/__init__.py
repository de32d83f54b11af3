"""Explore: one simulated thread runs at a time, and all ways of switching are run up to a bound."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mwe.errors import BadArgumentError, HarnessError
from mwe.schedules.explore.plans import Plan, parse_plan
from mwe.schedules.explore.space import Space, SpaceReport
from mwe.schedules.explore.stretches import Stretch, find_stretches
from mwe.schedules.explore.turn_taking import DeadlockError
from mwe.schedules.explore.turns import Turns
from mwe.targets import Target

__all__ = ["DeadlockError", "Exploration", "Explore", "Explorer", "Plan", "parse_plan"]

_TIMER_SLACK = Path("/proc/self/timerslack_ns")
_SLACK_NS = "1000"


@dataclass(frozen=True, kw_only=True)
class Exploration:
    """What a trial was, as part of a space of schedules."""

    schedule: str  # what `Explore.replay` takes
    space: SpaceReport
    stretches: tuple[Stretch, ...] = ()  # of a replay: what each thread ran between switches
    is_last: bool = False


@dataclass(kw_only=True)
class Explore:
    """Run each schedule of the first threads with at most so many forced switches, fewest first.

    The threads run one at a time. A switch is forced at a point: an instruction that can read or
    write what both threads see, at its first visit by the thread, in a file that is neither the
    standard library's nor numpy's. Between forced switches a thread runs until it ends or waits for
    something, whatever that is.

    What a whole space without a failure proves: with so many threads and forced switches, at this
    granularity, on this Python, there is none. What needs another thread, one more switch, or a
    switch inside of an instruction or of a library's function, is missed.

    An exploration that is opened again goes on where it stopped.
    """

    switches: int = 2  # forced ones of a schedule, at most
    threads: int = 2  # that switches are forced among, the first ones of a launch
    limit_s: float | None = None  # no schedule is begun later, counted from the first
    max_idle_s: float = 10.0  # all threads may wait so long, each for another
    stops_at_failure: bool = True
    replay: str | None = None  # the one schedule to run, as `Plan` writes it
    targets: ClassVar[frozenset[Target]] = frozenset({Target.SIMULATOR})
    _space: Space | None = None
    _began_s: float | None = None  # by a clock that all processes share

    def __post_init__(self) -> None:
        if self.switches < 0:
            raise BadArgumentError(f"--switches is {self.switches}; give 0 or more")
        if self.threads < 2:
            raise BadArgumentError(f"--threads is {self.threads}; give at least 2")
        if self.limit_s is not None and not self.limit_s > 0:
            raise BadArgumentError(f"--limit is {self.limit_s:g}; give seconds, more than 0")
        if self.replay is not None:
            parse_plan(self.replay)

    @property
    def n_active_threads(self) -> int:
        """Active threads of a trial; no others are launched, unless the workload has fewer."""
        return self.threads

    @contextlib.contextmanager
    def open(self, _user_files: Collection[str]) -> Iterator[Explorer]:
        """Make ready for a batch; the first trial's seed fixes the order of the schedules."""
        if not getattr(sys, "_is_gil_enabled", lambda: True)():
            raise HarnessError(
                "explore needs an interpreter lock, which this Python runs without; "
                "set PYTHON_GIL=1"
            )
        if self._began_s is None:
            self._began_s = time.monotonic()
        explorer = Explorer(self, self._space, self._began_s)
        try:
            with explorer.watched(), _short_timer_slack():
                yield explorer
        finally:
            # Whoever runs the trials may close the batch from outside, to open it again.
            self._space = explorer.space


@contextlib.contextmanager
def _short_timer_slack() -> Iterator[None]:
    """Have waits of microseconds end in time, in this thread and those that it starts; on Linux.

    The system lets each wait take 50 us longer otherwise.
    """
    before = None
    with contextlib.suppress(OSError):
        before = _TIMER_SLACK.read_text()
        _TIMER_SLACK.write_text(_SLACK_NS)
    try:
        yield
    finally:
        if before is not None:
            _TIMER_SLACK.write_text(before)


class Explorer:
    """Paces trials by the schedules of a space, one each."""

    def __init__(self, options: Explore, space: Space | None, began_s: float) -> None:
        self.space = space
        self._options = options
        self._began_s = began_s
        self._plan = Plan()
        self._turns: Turns | None = None

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Have the launch of a trial raise a `DeadlockError` where nothing else can end it.

        It needs signals and the main thread; without, the worker's own time limit ends the batch.
        """
        if (
            not hasattr(signal, "setitimer")
            or threading.current_thread() is not threading.main_thread()
        ):
            yield
            return

        def look(_number: int, _frame: object) -> None:
            if self._turns is not None:
                self._turns.raise_if_stuck()

        previous = signal.signal(signal.SIGALRM, look)
        # What is the same at two looks has not changed for as long.
        signal.setitimer(signal.ITIMER_REAL, self._options.max_idle_s, self._options.max_idle_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
            signal.signal(signal.SIGALRM, previous)

    def survey(self) -> AbstractContextManager[None]:
        """Pace a trial that does not count, in which all that happens only once has happened."""
        options = self._options
        self._turns = Turns(
            Plan(), options.threads, records_points=False, max_idle_s=options.max_idle_s
        )
        return self._turns.taken()

    def open_space(self, trial_seed: str) -> Space:
        """Return the space; the seed fixes its order, and a survey before what it begins with."""
        options = self._options
        if self.space is None:
            self.space = Space(
                options.switches, options.threads, trial_seed, max_idle_s=options.max_idle_s
            )
            if self._turns is not None:
                self.space.survey(self._turns)
        return self.space

    def __call__(self, trial_seed: str) -> AbstractContextManager[None]:
        """Pace a trial by the next schedule."""
        options = self._options
        space = self.open_space(trial_seed)
        if options.replay is not None:
            self._plan = parse_plan(options.replay)
            self._turns = space.open_turns(self._plan, is_replay=True)
        else:
            plan = space.take()
            if plan is None:
                raise HarnessError("every schedule was run before this trial")
            self._plan = plan
            self._turns = space.open_turns(plan)
        return self._turns.taken()

    def put_back(self) -> bool:
        """Have the schedule that was paced last run once more; False where it was, or is a replay.

        A thread may be taken for one that waits while the system only keeps it from a core. Who
        deadlocks for good does so again.
        """
        is_replay = self._options.replay is not None
        return not is_replay and self.space is not None and self.space.put_back(self._plan)

    def note(self, is_sought: bool) -> Exploration:
        """Take in the trial that was paced last, which failed as sought or not; say what it was."""
        turns, space, options = self._turns, self.space, self._options
        if turns is None or space is None:
            raise HarnessError("no trial was paced that could be noted")
        if options.replay is not None:
            if not turns.is_possible:
                raise HarnessError(
                    f"schedule {options.replay} cannot be run here: a switch finds no such point "
                    "or thread; it is one of another version, workload or Python"
                )
            stretches = find_stretches(turns.steps)
            return Exploration(
                schedule=options.replay, space=space.report(), stretches=stretches, is_last=True
            )
        space.add(self._plan, turns)
        report = space.report()
        spent_s = time.monotonic() - self._began_s
        is_over = options.limit_s is not None and spent_s >= options.limit_s
        return Exploration(
            schedule=str(self._plan),
            space=report,
            is_last=not space.has_more() or is_over or (is_sought and options.stops_at_failure),
        )
