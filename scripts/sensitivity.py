"""How well the schedules tell wrong fixes from right ones: ``make sensitivity``.

Each way of swapping globals in `tests.subjects.swaps` is run under each schedule in trials of
their own, and the racy ones in whole batch plans. Rates come with exact 95 % intervals; the chance
that the plan catches a variant is one minus the Beta-binomial chance that all its trials pass.
With ``--save`` the counts of the wrong fixes become what judges reckon with; docs/method.md states
the same ones.
"""

from __future__ import annotations

import argparse
import functools
import math
import platform
from collections.abc import Callable

from fixwatch.statistics.binomial import Counts, chance_of_silence, interval, upper_bound
from fixwatch.verdicts.wrong_fixes import TABLE_PATH, WrongFixTable, save_wrong_fixes
from mwe.batch import Batch
from mwe.isolation import run_batch
from mwe.planned.plan import find_planned_trials
from mwe.runner import iter_trials
from mwe.schedules import SCHEDULES, Schedule
from mwe.targets import Target
from mwe.workloads import DEFAULT_WORKLOAD, WORKLOADS
from mwe.workloads.planted_race.simulator import Swap
from mwe.workloads.planted_race.subjects import PlantedSubject
from tests.subjects.swaps import RACY, SOUND, make_swap_on_each_call

VARIANTS: dict[str, Callable[[], Swap]] = {
    "swap-on-each-call": make_swap_on_each_call,
    **RACY,
    **SOUND,
}


def find_failures(make_swap: Callable[[], Swap], schedule: Schedule, n_trials: int) -> list[bool]:
    """Run trials, each on a simulator of its own, as if in a process of its own."""
    failures = []
    for number in range(1, n_trials + 1):
        subject = PlantedSubject(make_swap(), schedule.n_active_threads)
        (trial,) = iter_trials(subject, schedule, seed=1, numbers=range(number, number + 1))
        failures.append(trial.outcome.failed)
    return failures


def find_failures_in_one_process(
    make_swap: Callable[[], Swap], schedule: Schedule, n_trials: int
) -> list[bool]:
    """Run trials of a sound variant on one simulator, as a batch does."""
    subject = PlantedSubject(make_swap(), schedule.n_active_threads)
    trials = iter_trials(subject, schedule, seed=1, numbers=range(1, n_trials + 1))
    return [trial.outcome.failed for trial in trials]


def is_caught_by_plan(make_swap: Callable[[], Swap], seed: int) -> bool:
    """Run the plan of a workload; stop at the first batch with a failure."""
    for name, schedule in SCHEDULES.items():
        n_trials = find_planned_trials(WORKLOADS[DEFAULT_WORKLOAD], name, Target.SIMULATOR)
        if n_trials is None or name == "natural":
            continue
        batch = Batch(
            workload="planted", role="workload", schedule=name, target="simulator", seed=seed
        )
        load = functools.partial(_load, make_swap, schedule.n_active_threads)
        run_batch(load, schedule, batch, n_trials)
        if batch.failures:
            return True
    return False


def _load(make_swap: Callable[[], Swap], n_threads: int | None) -> PlantedSubject:
    return PlantedSubject(make_swap(), n_threads)


def chance_that_plan_catches(rates: dict[str, Counts]) -> float:
    """Return the predictive chance of at least one failure in a plan."""
    silent = 0.0
    for name, counts in rates.items():
        n_trials = find_planned_trials(WORKLOADS[DEFAULT_WORKLOAD], name, Target.SIMULATOR)
        if n_trials is not None:
            silent += math.log(max(chance_of_silence(n_trials, counts), 1e-300))
    return -math.expm1(silent)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500, help="of each racy variant")
    parser.add_argument("--sound-trials", type=int, default=5000, help="of each sound variant")
    parser.add_argument("--plans", type=int, default=100, help="whole plans of each racy variant")
    parser.add_argument("--save", action="store_true", help=f"write {TABLE_PATH.name} for judges")
    options = parser.parse_args()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    print(python)
    print("\n| variant | schedule | failures | rate, 95 % | same outcome again, same seed |")
    print("|---|---|---|---|---|")
    caught: dict[str, tuple[float, int]] = {}
    wrong_fixes: dict[str, dict[str, Counts]] = {}
    for name, make_swap in VARIANTS.items():
        is_sound = name in SOUND
        rates = {}
        for schedule_name, schedule in SCHEDULES.items():
            find = find_failures_in_one_process if is_sound else find_failures
            n_trials = options.sound_trials if is_sound else options.trials
            failures = find(make_swap, schedule, n_trials)
            counts = rates[schedule_name] = Counts(sum(failures), n_trials)
            again = "–"
            if not is_sound:
                replayed = find(make_swap, schedule, n_trials)
                n_same = sum(a is b for a, b in zip(failures, replayed, strict=True))
                again = f"{100 * n_same / n_trials:.0f} %"
            low, high = interval(counts)
            bound = f"at most {upper_bound(counts):.2g}" if is_sound else f"{low:.3f}–{high:.3f}"
            found = f"{counts.n_failures} of {counts.n_trials}"
            print(f"| {name} | {schedule_name} | {found} | {bound} | {again} |", flush=True)
        if name in RACY:
            wrong_fixes[name] = rates
        if not is_sound:
            n_caught = sum(is_caught_by_plan(make_swap, seed) for seed in range(options.plans))
            caught[name] = (chance_that_plan_catches(rates), n_caught)
    print("\n| racy variant | plan catches it, predicted | plans that caught it |\n|---|---|---|")
    for name, (chance, n_caught) in caught.items():
        predicted = f"1 − {1 - chance:.1g}" if chance < 1 else "1 − < 1e-16"
        print(f"| {name} | {predicted} | {n_caught} of {options.plans} |")
    if options.save:
        save_wrong_fixes(WrongFixTable(measured_with=python, counts=wrong_fixes))


if __name__ == "__main__":
    main()
