"""The space of schedules: which there are, and which of them mean the same as another."""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import CodeType
from typing import Any

from mwe.schedules.explore.instructions import Instruction, Writes, find_writes
from mwe.schedules.explore.observations import Bindings, Passed
from mwe.schedules.explore.plans import Place, Plan, Switch
from mwe.schedules.explore.turns import Turns

# Of the launching thread before it starts a thread, at least.
MIN_CALLS = 4
# Of a schedule whose switches find no such point or thread, on a machine that is too busy, say.
MAX_TRIES = 3

# Instructions that read what their name says, and change nothing.
_ATTRIBUTE_READS = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_NAME", "IMPORT_FROM")
# These touch a cell by its name; cells that several threads can have are known by what writes them.
_OF_CELLS = (
    *("LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_FROM_DICT_OR_DEREF"),
    *("STORE_DEREF", "DELETE_DEREF"),
)


@dataclass(frozen=True, kw_only=True)
class SpaceReport:
    """How much of a space was run."""

    schedules: int  # that are known; all there are, once those with one switch less were run
    run: int
    exhausted: bool
    switches: int  # forced ones of a schedule, at most
    threads: int
    points: int  # of the thread with the most, those left out not counted

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return asdict(self)


def describe_space(space: Mapping[str, Any]) -> str:
    """Say in words what a printed report claims, and what is left."""
    bound = f"{space['threads']} threads with at most {space['switches']} forced switches"
    if space["exhausted"]:
        if space["schedules"] == 1:
            return f"the only schedule of {bound} was run"
        return f"all {space['schedules']} schedules of {bound} were run"
    n_run = space["run"]
    run = (
        f"1 schedule of {bound} was run" if n_run == 1 else f"{n_run} schedules of {bound} were run"
    )
    return f"{run}, at least {space['schedules'] - n_run} were not"


class Space:
    """All schedules of some threads with at most so many forced switches, fewest switches first.

    A schedule's successors are found by running it: behind its last forced switch there may be one
    more at each point that a thread passes. A switch at a point is left out where it means the
    same as one at the thread's next point, because the instruction between them changes nothing
    that another thread reads, and reads nothing that another one changes:

    - the call of a function that is explored itself, whose own points follow;
    - an instruction that only works on numbers and the like, or on what its own frame has made, by
      the values that it takes (`mwe.schedules.explore.operands`);
    - a read of a global or an attribute by a name that nothing writes which ran once threads took
      turns, and of a cell likewise. Names that modules' globals change under, by whatever means,
      are found by comparing the globals. A later run that writes such a name brings the points
      back that were left out for it.

    Source: preemption bounding, Musuvathi et al., "Finding and Reproducing Heisenbugs in Concurrent
    Programs", OSDI 2008.

    Parameters
    ----------
    max_switches, n_threads
        The bounds; a schedule begins with any of the threads.
    seed
        Of the order among schedules with equally many switches.
    leaves_out
        Whether schedules that mean the same as another are left out.
    max_idle_s
        As for `Turns`.
    """

    def __init__(
        self,
        max_switches: int = 2,
        n_threads: int = 2,
        seed: str = "",
        *,
        leaves_out: bool = True,
        max_idle_s: float = 10.0,
    ) -> None:
        self._max_switches = max_switches
        self._n_threads = n_threads
        self._leaves_out = leaves_out
        self._max_idle_s = max_idle_s
        self._random = random.Random(seed)
        # Known and not run yet, by number of switches.
        self._levels: list[list[Plan]] = [[Plan(first) for first in range(n_threads)]]
        self._levels += [[] for _ in range(max_switches)]
        self._writes = Writes()
        self._max_calls = 0
        self._changed: set[str] = set()
        self._modules: set[str] = set()
        # Switches behind a schedule, by what the thread touches from that point to its next one.
        self._left_out: dict[frozenset[Instruction], list[tuple[Plan, list[Switch]]]] = {}
        # Each once, however many switches are there: all this goes from process to process.
        self._places: dict[Place, Place] = {}
        self._n_run = 0
        self._n_tries: Counter[Plan] = Counter()
        self._put_back: set[Plan] = set()
        # In every run; no schedule begins with such a thread.
        self._late: set[int] | None = None
        self._points: dict[int, set[int]] = {}
        # Functions whose writes are in; only saves looking at them again.
        self._ran: set[CodeType] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what another process cannot take."""
        return {**vars(self), "_ran": set()}

    def take(self) -> Plan | None:
        """Return a schedule that was not run, one with the fewest switches; None at the end."""
        for level in self._levels:
            if level:
                index = self._random.randrange(len(level))
                level[index], level[-1] = level[-1], level[index]
                return level.pop()
        return None

    def put_back(self, plan: Plan) -> bool:
        """Have a schedule run once more that ended in a deadlock; False if it was before."""
        is_first = plan not in self._put_back
        if is_first:
            self._put_back.add(plan)
            self._levels[len(plan.switches)].append(plan)
        return is_first

    def has_more(self) -> bool:
        """Whether there is a schedule to take."""
        return any(self._levels)

    def open_turns(self, plan: Plan, *, is_replay: bool = False) -> Turns:
        """Return the turns that run a schedule; those of a replay keep each step instead."""
        return Turns(
            plan,
            self._n_threads,
            bindings=[
                Bindings.take(vars(sys.modules[name]))
                for name in sorted(self._modules)
                if name in sys.modules
            ],
            max_calls=self._max_calls,
            max_idle_s=self._max_idle_s,
            records_points=len(plan.switches) < self._max_switches and not is_replay,
            records_steps=is_replay,
        )

    def survey(self, turns: Turns) -> None:
        """Take in which functions and modules a run meets, and no more."""
        # Twice what was seen, as a launch may vary a little.
        self._max_calls = 2 * max(turns.max_calls_seen, self._max_calls // 2, MIN_CALLS)
        for code in turns.ran - self._ran:
            self._writes |= find_writes(code)
        self._ran |= turns.ran
        self._late = turns.late if self._late is None else self._late & turns.late
        self._changed |= turns.changed
        for names in turns.globals.values():
            module = sys.modules.get(names.get("__name__", ""))
            if module is not None and vars(module) is names:
                self._modules.add(module.__name__)
            else:
                # Nobody looks at these, so any of them may change.
                self._changed |= names.keys()

    def add(self, plan: Plan, turns: Turns) -> None:
        """Take in what a run of a schedule has shown; one that it could not follow is run again."""
        if not plan.switches and plan.first >= turns.n_started:
            # A launch with fewer threads than are to be explored.
            return
        if not turns.is_possible:
            self._n_tries[plan] += 1
            if self._n_tries[plan] < MAX_TRIES:
                self._levels[len(plan.switches)].append(plan)
            return
        self._n_run += 1
        known = self._writes, len(self._changed), len(self._modules)
        self.survey(turns)
        for passed in turns.passed:
            self._add_switches(plan, passed)
        if (self._writes, len(self._changed), len(self._modules)) != known:
            for touched in list(self._left_out):
                if any(map(self._shows, touched)):
                    for parent, switches in self._left_out.pop(touched):
                        self._append(parent, switches)

    def _add_switches(self, plan: Plan, passed: Passed) -> None:
        """Add the schedules that have one switch more, at a point; or keep them for later."""
        place = passed.place and self._places.setdefault(passed.place, passed.place)
        switches = [Switch(passed.thread, passed.point, other, place) for other in passed.others]
        touched = frozenset(passed.then)
        if passed.instruction is not None:
            touched |= {passed.instruction}
        if not self._leaves_out or any(map(self._shows, touched)):
            self._append(plan, switches)
        elif touched:
            self._left_out.setdefault(touched, []).append((plan, switches))

    def _append(self, parent: Plan, switches: list[Switch]) -> None:
        for switch in switches:
            self._points.setdefault(switch.thread, set()).add(switch.point)
            child = Plan(parent.first, (*parent.switches, switch))
            self._levels[len(child.switches)].append(child)

    def report(self) -> SpaceReport:
        """Return how much was run so far."""
        n_given_up = sum(
            tries == MAX_TRIES and (bool(plan.switches) or plan.first not in (self._late or ()))
            for plan, tries in self._n_tries.items()
        )
        n_waiting = sum(map(len, self._levels)) + n_given_up
        return SpaceReport(
            schedules=self._n_run + n_waiting,
            run=self._n_run,
            exhausted=not n_waiting,
            switches=self._max_switches,
            threads=self._n_threads,
            points=max(map(len, self._points.values()), default=0),
        )

    def _shows(self, instruction: Instruction) -> bool:
        """Whether another thread can see that an instruction has run, or the other way round."""
        operation, name = instruction
        if name is None:
            return True
        if operation in _OF_CELLS:
            return name in self._writes.variables
        if operation in _ATTRIBUTE_READS:
            return (
                name in self._writes.attributes
                or name in self._changed
                or (self._writes.is_opaque and operation != "LOAD_GLOBAL")
            )
        return True
