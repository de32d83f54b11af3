"""How soon each schedule finds planted faults: the tables of ``make sensitivity`` on `explore`.

Each subject is run from its first trial to its first failure, again and again with other seeds, on
a simulator of its own each time. A random walk, which at each point of `explore` goes on with
another thread with some probability, stands for sampling at that granularity.
"""

from __future__ import annotations

import contextlib
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any, NamedTuple

from mwe.runner import iter_trials
from mwe.schedules import Explore, Schedule, find_schedule
from mwe.schedules.explore.instructions import Instruction
from mwe.schedules.explore.plans import Plan
from mwe.schedules.explore.threads import Member, Status
from mwe.schedules.explore.turns import Turns
from mwe.workloads.planted_race.subjects import SwapSubject
from tests.subjects.swaps import SOUND

N_THREADS = 2
# Of a search that finds nothing under a schedule that samples.
MAX_TRIALS = 200
# Of so many searches under `explore` there is one under the others, and one of a sound variant.
SHARE = 5
SOUND_SHARE = 50
SWITCH_PROBABILITY = 0.1


class RandomTurns(Turns):
    """Turns that are given away at random instead of by a plan."""

    def __init__(self, seed: str) -> None:
        super().__init__(Plan(), N_THREADS)
        self._random = random.Random(seed)

    def _pass_point(self, member: Member, frame: FrameType, instruction: Instruction) -> None:
        super()._pass_point(member, frame, instruction)
        others = [other for other in self._members if other.status is Status.WAITING]
        if others and self._random.random() < SWITCH_PROBABILITY:
            member.status = Status.WAITING
            self._give(self._random.choice(others))
            self._park(member, frame)


@dataclass(frozen=True)
class RandomWalk:
    """The schedule of `RandomTurns`."""

    n_active_threads: int = N_THREADS

    @contextlib.contextmanager
    def open(self, _user_files: Any) -> Iterator[Any]:
        """Make ready for a batch."""
        yield lambda trial_seed: RandomTurns(trial_seed).taken()


class Search(NamedTuple):
    """A subject run until it failed, or until there was no more to run."""

    found: bool
    n_trials: int
    seconds: float
    is_whole: bool  # every schedule up to the bound was run


def find_schedules_to_compare() -> dict[str, Callable[[], Schedule]]:
    """Return what makes each schedule anew."""
    return {
        "explore": Explore,
        "delay": lambda: find_schedule("delay"),
        "handoff": lambda: find_schedule("handoff"),
        "random walk": RandomWalk,  # type: ignore[dict-item]
    }


def search(make_swap: Callable[[], Any], schedule: Schedule, seed: int) -> Search:
    """Run a planted fault to its first failure."""
    subject = SwapSubject(make_swap(), schedule.n_active_threads)
    is_exploring = isinstance(schedule, Explore)
    if is_exploring or isinstance(schedule, RandomWalk):
        subject.threads_per_block = N_THREADS
    start_s = time.perf_counter()
    numbers = range(1, 10**6 if is_exploring else MAX_TRIALS + 1)
    for trial in iter_trials(subject, schedule, seed, numbers):
        if trial.outcome.failed:
            break
    seconds = time.perf_counter() - start_s
    is_whole = trial.exploration is not None and trial.exploration.space.exhausted
    return Search(trial.outcome.failed, trial.number, seconds, is_whole)


def compare(variants: dict[str, Callable[[], Any]], n_searches: int) -> list[list[object]]:
    """Return a row for each variant and schedule."""
    rows: list[list[object]] = []
    for variant, make_swap in variants.items():
        for name, make_schedule in find_schedules_to_compare().items():
            share = SOUND_SHARE if variant in SOUND else 1 if name == "explore" else SHARE
            seeds = range(1, max(1, n_searches // share) + 1)
            searches = [search(make_swap, make_schedule(), seed) for seed in seeds]
            rows.append([variant, name, *describe(searches)])
            print(*rows[-1], sep=", ", file=sys.stderr, flush=True)
    return rows


def describe(searches: Sequence[Search]) -> list[object]:
    """Return the cells that say what searches found, and how soon."""
    found = [one for one in searches if one.found]
    n_whole = sum(one.is_whole for one in searches)
    cells: list[object] = [f"{len(found)} of {len(searches)}"]
    for values, form in (
        ([one.n_trials for one in found], "{:.0f}, {:.0f}"),
        ([one.seconds for one in found], "{:.2f}, {:.2f}"),
    ):
        cells.append(form.format(statistics.median(values), max(values)) if values else "–")
    if not n_whole:
        return [*cells, "no"]
    seconds = statistics.median(one.seconds for one in searches)
    return [
        *cells,
        f"{n_whole} of {len(searches)}: {searches[0].n_trials} schedules, {seconds:.1f} s",
    ]


COLUMNS = [
    "variant",
    "schedule",
    "found",
    "trials to the first failure: median, most",
    "seconds: median, most",
    "whole space",
]
