"""How few builds a search needs, and how far its answer can be relied on: ``make calibrate``.

The truth is planted in simulated histories of 600 commits, where a build takes 40 s and a trial
0.02 s: one change or none, in either direction, at rates from 0.9 to 0.01, with and without commits
that do not build. `fixwatch.statistics.search_planning` searches them, and beside it, on the same
histories, asv's own ``asv find`` and git_bayesect's run loop. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import functools
import math
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from unittest import mock

import numpy as np
from asv.commands import find
from git_bayesect import Bisector

from fixwatch.statistics.search_planning import Answer, choose_step, find_answer
from fixwatch.statistics.single_change import SingleChange

N_COMMITS = 600
BUILD_S = 40.0
TRIAL_S = 0.02
# To start measuring, and to install what is built.
VISIT_S = 1.0
RATES = (0.9, 0.3, 0.05, 0.01)
CHANGES = ("appeared", "fixed")
STILL = ("clean", "affected", "drifting")
# How far the rates of commits lie apart where they drift: the standard deviation.
DRIFT = 0.06
UNBUILDABLE_RATE = 0.1
# asv find takes one batch a commit, of as many trials as the plan has.
ASV_TRIALS = 100
# git_bayesect states its answer from 0.95 on by default; ours is stated from 0.99 on.
BAYESECT_CONFIDENCE = 0.99
MAX_BAYESECT_TRIALS = 3000


@dataclass
class World:
    """A simulated history, and what has been spent on it.

    Attributes
    ----------
    kind
        One of `CHANGES` or `STILL`.
    at
        The first commit behind the change; None without one.
    """

    kind: str
    rate: float
    at: int | None
    unbuildable: np.ndarray
    rng: np.random.Generator
    drift: np.ndarray
    built: set[int] = field(default_factory=set)
    n_trials: int = 0
    n_visits: int = 0

    def measure(self, commit: int, n_trials: int) -> int | None:
        """Return how many trials fail; None for a commit that does not build."""
        self.built.add(commit)
        if self.unbuildable[commit]:
            return None
        self.n_visits += 1
        self.n_trials += n_trials
        rate = float(np.clip(self.rate + self.drift[commit], 0.0, 1.0))
        return int(self.rng.binomial(n_trials, rate if self.is_affected(commit) else 0.0))

    def is_affected(self, commit: int) -> bool:
        """Whether trials at a commit can fail."""
        if self.at is None:
            return self.kind != "clean"
        return (commit >= self.at) is (self.kind == "appeared")

    @property
    def minutes(self) -> float:
        """Minutes that were spent."""
        spent_s = BUILD_S * len(self.built) + VISIT_S * self.n_visits + TRIAL_S * self.n_trials
        return spent_s / 60


def plant(kind: str, rate: float, unbuildable_rate: float, seed: Sequence[int]) -> World:
    """Make a history; the same seed makes the same one."""
    rng = np.random.default_rng(seed)
    at = int(rng.integers(1, N_COMMITS)) if kind in CHANGES else None
    unbuildable = rng.random(N_COMMITS) < unbuildable_rate
    drift = rng.normal(0.0, DRIFT if kind == "drifting" else 0.0, N_COMMITS)
    return World(kind=kind, rate=rate, at=at, unbuildable=unbuildable, rng=rng, drift=drift)


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a search made of a history.

    Attributes
    ----------
    answer
        What it stated.
    is_right
        Whether that was so: the right commit, or that there is none.
    holds
        Whether the stated set has the planted place; None without one.
    n_places
        The size of that set.
    """

    answer: Answer
    is_right: bool
    builds: int
    minutes: float
    holds: bool | None = None
    n_places: int = 0

    @property
    def is_wrong(self) -> bool:
        """Whether something was stated that was not so."""
        return self.answer is not Answer.NOT_DECIDED and not self.is_right


def search(world: World) -> Result:
    """Search a history as Fixwatch does."""
    failures, trials = np.zeros((2, N_COMMITS, 1))
    costs_s = np.full(N_COMMITS, BUILD_S + VISIT_S)
    while True:
        change = SingleChange(failures, trials)
        step = choose_step(change, 0, costs_s, TRIAL_S)
        if step is None:
            break
        found = world.measure(step.index, step.n_trials)
        if found is None:
            costs_s[step.index] = math.inf
            continue
        costs_s[step.index] = VISIT_S
        failures[step.index] += found
        trials[step.index] += step.n_trials
    answer = find_answer(change, np.flatnonzero(np.isinf(costs_s)))
    place = change.placement
    is_right = answer is Answer.FOUND and (place.at, place.kind.value) == (world.at, world.kind)
    is_right |= answer is Answer.NO_CHANGE and world.at is None
    return Result(
        answer=answer,
        is_right=is_right,
        builds=len(world.built),
        minutes=world.minutes,
        holds=None if world.at is None else world.at in place.places,
        n_places=len(place.places),
    )


def search_by_asv(world: World) -> Result:
    """Let ``asv find`` search, its own code over simulated batches."""
    state = SimpleNamespace(commit=0, found=None)

    class Batches:
        """The results of one commit, as asv's search asks for them."""

        errcode = {"track": 0}  # noqa: RUF012 (asv only reads it)

        def __init__(self, value: int | None) -> None:
            self._value = value

        def get_result_value(self, *_: object) -> list[int | None]:
            return [self._value]

        def load_data(self, _: object) -> None: ...

    def install(_conf: object, _repo: object, commit: int) -> None:
        state.commit = commit

    def run_benchmarks(*_: object, **__: object) -> Batches:
        return Batches(world.measure(state.commit, ASV_TRIALS))

    commits = list(range(N_COMMITS))
    environment = SimpleNamespace(
        install_project=install, python="", requirements={}, name="", env_vars={}
    )
    repository = SimpleNamespace(
        pull=lambda: None,
        get_hashes_from_range=lambda _: commits[::-1],
        get_decorated_hash=lambda commit, _length: str(commit),
        get_date=lambda _: 0,
    )
    machine = SimpleNamespace(load=lambda **_: SimpleNamespace(save=lambda _: None))
    log = mock.MagicMock()
    log.info = lambda line: setattr(state, "found", line.rpartition(" ")[2])
    with mock.patch.multiple(
        find,
        Machine=machine,
        get_repo=lambda _: repository,
        Setup=SimpleNamespace(run=lambda **_: [environment]),
        Benchmarks=SimpleNamespace(
            discover=lambda *_, **__: {"track": {"type": "track", "params": [], "timeout": 1}}
        ),
        Results=lambda *_: Batches(None),
        run_benchmarks=run_benchmarks,
        log=log,
    ):
        conf = SimpleNamespace(results_dir="", project="simulated")
        find.Find.run(conf, "", "track", invert=world.kind == "fixed", skip_save=True)
    is_right = state.found == str(world.at)
    return Result(
        answer=Answer.FOUND, is_right=is_right, builds=len(world.built), minutes=world.minutes
    )


def search_by_bayesect(world: World) -> Result:
    """Run git_bayesect's loop: select, observe one trial, record, until one commit is sure."""
    # It counts from the newest commit back to the last that behaves like it.
    bisector = Bisector([1.0] * (N_COMMITS - 1))
    for _ in range(MAX_BAYESECT_TRIALS):
        if bisector.distribution.max() >= BAYESECT_CONFIDENCE:
            break
        index = bisector.select()
        found = world.measure(N_COMMITS - 1 - index, 1)
        bisector.record(index, None if found is None else bool(found))
    is_sure = bisector.distribution.max() >= BAYESECT_CONFIDENCE
    at = N_COMMITS - 1 - int(np.argmax(bisector.distribution))
    return Result(
        answer=Answer.FOUND if is_sure else Answer.NOT_DECIDED,
        is_right=is_sure and at == world.at,
        builds=len(world.built),
        minutes=world.minutes,
    )


@dataclass(frozen=True)
class Group:
    """Histories of one kind and rate under one way of searching."""

    method: str
    kind: str
    rate: float
    unbuildable_rate: float
    n_histories: int


METHODS: dict[str, Callable[[World], Result]] = {
    "Fixwatch": search,
    "asv find": search_by_asv,
    "git_bayesect": search_by_bayesect,
}


def run_one(group: Group, number: int, seed: int) -> Result:
    """Plant and search the history of a number: the same one whichever way it is searched."""
    kinds = (*CHANGES, *STILL)
    # What is planted does not depend on how it is searched.
    place = [seed, number, kinds.index(group.kind), int(1000 * group.rate)]
    world = plant(group.kind, group.rate, group.unbuildable_rate, place)
    return METHODS[group.method](world)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %"


def run_group(group: Group, seed: int, pool: multiprocessing.pool.Pool) -> list[Result]:
    """Search all histories of a group."""
    run = functools.partial(run_one, group, seed=seed)
    return pool.map(run, range(group.n_histories), chunksize=4)


def _print_row(group: Group, results: Sequence[Result]) -> None:
    sizes = [each.n_places for each in results if each.n_places]
    held = [each.holds for each in results if each.holds is not None]
    columns = [
        group.method,
        group.kind,
        f"{group.rate:g}",
        f"{100 * group.unbuildable_rate:.0f} %",
        f"{len(results)}",
        f"{np.median([each.builds for each in results]):.0f}",
        f"{np.percentile([each.builds for each in results], 95):.0f}",
        f"{np.median([each.minutes for each in results]):.1f}",
        _percent(sum(each.is_right for each in results), len(results)),
        _percent(sum(each.is_wrong for each in results), len(results)),
        _percent(sum(held), len(held)) if sizes and held else "–",
        f"{np.mean(sizes):.2f}" if sizes and held else "–",
    ]
    print(f"| {' | '.join(columns)} |", flush=True)


def _print_head() -> None:
    print(
        "| search | change | rate | unbuildable | histories | builds, median | 95 % | minutes, "
        "median | right | wrong | in the 99 % set | size of the set, mean |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")


def list_groups(n_histories: int, n_compared: int) -> list[Group]:
    """Return what is to be searched."""
    groups = [
        Group("Fixwatch", kind, rate, unbuildable_rate, n_histories)
        for unbuildable_rate in (0.0, UNBUILDABLE_RATE)
        for kind in CHANGES
        for rate in RATES
    ]
    groups += [Group("Fixwatch", "affected", rate, 0.0, n_histories) for rate in RATES]
    groups.append(Group("Fixwatch", "clean", 0.0, 0.0, n_histories))
    groups += [Group("Fixwatch", "drifting", rate, 0.0, n_histories) for rate in RATES[:2]]
    groups += [
        Group(method, kind, rate, 0.0, n_compared)
        for method in ("asv find", "git_bayesect")
        for kind in CHANGES
        for rate in RATES
    ]
    return groups


def find_missed_bars(found: Sequence[tuple[Group, Sequence[Result]]]) -> list[str]:
    """Return the bars that are missed, a line each."""
    missed = []
    own = [(group, results) for group, results in found if group.method == "Fixwatch"]
    held: list[bool] = []
    for group, results in own:
        name = f"{group.kind} at {group.rate:g}, {group.unbuildable_rate:.0%} unbuildable"
        right = np.mean([each.is_right for each in results])
        builds = np.median([each.builds for each in results])
        held += [each.holds for each in results if each.holds is not None]
        if group.kind in STILL and right < 0.99:
            missed.append(f"{name}: no change said in {right:.1%}")
        if group.kind in CHANGES and not group.unbuildable_rate:
            max_builds, min_right = (16, 0.97) if group.rate < 0.05 else (12, 0.99)
            if builds > max_builds or right < min_right:
                missed.append(f"{name}: {builds:.0f} builds, right in {right:.1%}")
    if np.mean(held) < 0.99:
        missed.append(f"stated sets hold the place in {np.mean(held):.2%}")
    print(f"\nstated 99 % sets hold the planted place in {sum(held)} of {len(held)} histories")
    return missed


def main() -> int:
    """Run the calibration and print its table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=250, help="of each kind and rate")
    parser.add_argument("--compared", type=int, default=100, help="searched in other ways too")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    found = []
    _print_head()
    with multiprocessing.get_context("spawn").Pool() as pool:
        for group in list_groups(options.histories, options.compared):
            results = run_group(group, options.seed, pool)
            _print_row(group, results)
            found.append((group, results))
    missed = find_missed_bars(found)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
