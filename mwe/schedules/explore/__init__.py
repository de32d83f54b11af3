"""Explore: one simulated thread runs at a time, and all ways of switching are run up to a bound."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar

from mwe.errors import BadArgumentError, HarnessError
from mwe.schedules.explore.plans import Plan, parse_plan
from mwe.schedules.explore.space import Space, SpaceReport
from mwe.schedules.explore.stretches import Stretch, find_stretches
from mwe.schedules.explore.turns import Turns
from mwe.targets import Target

__all__ = ["Exploration", "Explore", "Explorer", "Plan", "parse_plan"]


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
    stops_at_failure: bool = True
    replay: str | None = None  # the one schedule to run, as `Plan` writes it
    targets: ClassVar[frozenset[Target]] = frozenset({Target.SIMULATOR})
    _space: Space | None = None

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
        explorer = Explorer(self, self._space)
        yield explorer
        self._space = explorer.space


class Explorer:
    """Paces trials by the schedules of a space, one each."""

    def __init__(self, options: Explore, space: Space | None) -> None:
        self.space = space
        self._options = options
        self._start_s = time.monotonic()
        self._plan = Plan()
        self._turns: Turns | None = None

    def survey(self) -> AbstractContextManager[None]:
        """Pace a trial that does not count, in which all that happens only once has happened."""
        self._turns = Turns(Plan(), self._options.threads, records_points=False)
        return self._turns.taken()

    def __call__(self, trial_seed: str) -> AbstractContextManager[None]:
        """Pace a trial by the next schedule."""
        if self.space is None:
            options = self._options
            self.space = Space(options.switches, options.threads, trial_seed)
            if self._turns is not None:
                self.space.survey(self._turns)
        if self._options.replay is not None:
            self._plan = parse_plan(self._options.replay)
            self._turns = Turns(
                self._plan, self._options.threads, records_points=False, records_steps=True
            )
        else:
            plan = self.space.take()
            if plan is None:
                raise HarnessError("every schedule was run before this trial")
            self._plan = plan
            self._turns = self.space.open_turns(plan)
        return self._turns.taken()

    def note(self, has_failed: bool) -> Exploration:
        """Take in the trial that was paced last, and say what it was."""
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
        elapsed_s = time.monotonic() - self._start_s
        is_over = options.limit_s is not None and elapsed_s >= options.limit_s
        return Exploration(
            schedule=str(self._plan),
            space=report,
            is_last=report.exhausted or is_over or (has_failed and options.stops_at_failure),
        )
