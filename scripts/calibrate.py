"""How far the confidence that Fixwatch states can be relied on: ``make calibrate``.

The truth is planted in thousands of synthetic histories: no change, one that appears, one that is
fixed, both; rates from 0.005 to 1; gaps, and numbers of trials that change; and, in histories of
their own, the noise of `scripts.noise`. What Fixwatch states is set beside it. Exits with 1 if a
bar is missed.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fixwatch.statistics.binomial import Counts, interval
from fixwatch.statistics.change_points import find_change_points
from fixwatch.verdicts.judgements import Judgement, Verdict
from fixwatch.verdicts.states import State, analyse_history, derive_state
from scripts.noise import NOISES, draw_bursts, draw_rates
from scripts.tables import TableWriter, make_parser, map_in_processes, percent, report_missed

# The kinds of the changes that are planted, and whether the history begins affected.
KINDS: tuple[tuple[tuple[str, ...], bool], ...] = (
    ((), False),
    ((), True),
    (("appeared",), False),
    (("fixed",), True),
    (("appeared", "fixed"), False),
)
RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.9, 1.0)
NOISY_RATES = (0.005, 0.02, 0.1, 0.5, 0.95)
# At these every change has to be found, however noisy the machine.
FOUND_RATES = (0.5, 0.95)
N_NOISY = 400
MAX_FALSE_SHARE = 0.01
# Of the changes that are stated with more than `SURE`, over all noisy histories.
SURE = 0.999
MIN_TRUE_SHARE = 0.99
# Measured revisions on both sides of each change; nearer to the end nothing can be known yet.
MIN_SIDE = 5
GAP_RATE = 0.1
BINS = (0.5, 0.9, 0.99, 0.999, 1.0)
SEED = 1


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A synthetic history and its truth."""

    rate: float
    noise: str | None
    # By revision; 0 of 0 where there is a gap.
    failures: np.ndarray
    trials: np.ndarray
    # The first revision after each change, by its kind, of which there is one at most.
    changes: dict[str, int]
    is_affected_at_end: bool


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What Fixwatch stated of a history, compared with what was planted."""

    planted: Planted
    is_false: bool  # a transition was stated that was not planted
    is_false_fix: bool  # the newest revision is affected, and was called fixed
    n_found: int  # planted changes that were stated
    n_placed: int  # those whose true place is among the stated ones
    set_sizes: list[int]
    stated: list[tuple[float, bool]]  # the probability of each change, and whether it was planted


def plant(
    kinds: Sequence[str],
    starts_affected: bool,
    rate: float,
    seed: Sequence[int],
    noise: str | None = None,
) -> Planted:
    """Make a history of 20 to 300 revisions with changes of some kinds, in that order."""
    rng = np.random.default_rng(seed)
    length = int(rng.integers(20, 301))
    trials = rng.choice([100, 100, 100, 200], size=length)
    trials[rng.random(length) < GAP_RATE] = 0
    measured = np.flatnonzero(trials)
    first, second = sorted(rng.integers(MIN_SIDE, len(measured) - MIN_SIDE, size=2).tolist())
    if len(kinds) == 2 and second - first < MIN_SIDE:
        first, second = MIN_SIDE, len(measured) - MIN_SIDE
    changes = dict(zip(kinds, measured[[first, second]].tolist(), strict=False))
    is_affected = np.full(length, starts_affected)
    for place in changes.values():
        is_affected[place:] = ~is_affected[place:]
    rates = draw_rates(noise, rate, length, rng)
    failures = rng.binomial(trials, np.where(is_affected, rates, 0.0))
    failures[measured] += draw_bursts(noise, len(measured), rng)
    return Planted(
        rate=rate,
        noise=noise,
        failures=np.minimum(failures, trials),
        trials=trials,
        changes=changes,
        is_affected_at_end=bool(is_affected[-1]),
    )


def examine(planted: Planted) -> Comparison:
    """Compare what Fixwatch states of a history with what was planted."""
    counts = list(zip(planted.failures.tolist(), planted.trials.tolist(), strict=True))
    history = analyse_history([{"delay": Counts(k, n)} if n else {} for k, n in counts])
    judgements = [Judgement(Verdict.OBSERVED if k else Verdict.NOT_OBSERVED) for k, _ in counts]
    state = derive_state(history, judgements).state
    measured = [count for count in counts if count[1]]
    possible = find_change_points([[k] for k, _ in measured], [[n] for _, n in measured]).changes
    true = [change for change in history.changes if change.kind in planted.changes]
    n_found = len({change.kind for change in true})
    return Comparison(
        planted=planted,
        is_false=n_found < len(history.changes),
        is_false_fix=planted.is_affected_at_end and state is State.FIXED,
        n_found=n_found,
        n_placed=sum(planted.changes[change.kind] in change.places for change in true),
        set_sizes=[len(change.places) for change in history.changes],
        # Wherever it is: between the neighbouring changes there is one of its kind.
        stated=[(change.probability, change.kind in planted.changes) for change in possible],
    )


def examine_one(number: int) -> Comparison:
    """Plant and examine the history of a number."""
    kinds, starts_affected = KINDS[number % len(KINDS)]
    rate = RATES[number // len(KINDS) % len(RATES)]
    return examine(plant(kinds, starts_affected, rate, [SEED, number]))


def examine_noisy(number: int) -> Comparison:
    """Plant and examine a noisy history: `N_NOISY` of each noise and rate, one after another."""
    cell, number = divmod(number, N_NOISY)
    noise, rate = list(itertools.product(NOISES, NOISY_RATES))[cell]
    return examine(plant(*KINDS[number % len(KINDS)], rate, [SEED, cell, number], noise))


def tabulate_noise(results: Sequence[Comparison]) -> tuple[list[list[object]], list[str]]:
    """Return a row for each noise and rate, and the bars that are missed."""
    rows, missed = [], []
    for noise, rate in itertools.product(NOISES, NOISY_RATES):
        own = [
            result
            for result in results
            if (result.planted.noise, result.planted.rate) == (noise, rate)
        ]
        affected = [result for result in own if result.planted.is_affected_at_end]
        n_changes = sum(len(result.planted.changes) for result in own)
        n_found = sum(result.n_found for result in own)
        n_false = sum(result.is_false for result in own)
        n_fixed = sum(result.is_false_fix for result in affected)
        row: list[object] = [
            noise,
            rate,
            f"{n_false} of {len(own)}",
            f"{n_fixed} of {len(affected)}",
            percent(n_found, n_changes),
            "{} of {}".format(*_count_sure(own)),
        ]
        rows.append(row)
        is_too_false = n_false > MAX_FALSE_SHARE * len(own) or n_fixed > MAX_FALSE_SHARE * len(
            affected
        )
        if is_too_false or (rate in FOUND_RATES and n_found < 0.99 * n_changes):
            missed.append(", ".join(map(str, row)))
    n_true, n_sure = _count_sure(results)
    rows.append(["all", "–", "–", "–", "–", f"{n_true} of {n_sure}"])
    if n_true < MIN_TRUE_SHARE * n_sure:
        missed.append(f"stated above {SURE}: {n_true} of {n_sure} true")
    return rows, missed


def _count_sure(results: Sequence[Comparison]) -> tuple[int, int]:
    """Return how many changes that are stated above `SURE` were planted, of how many."""
    sure = [is_true for result in results for odds, is_true in result.stated if odds > SURE]
    return sum(sure), len(sure)


def tabulate_rates(results: Sequence[Comparison]) -> tuple[list[list[object]], list[str]]:
    """Return a row for each rate, and the bars that are missed."""
    rows, missed = [], []
    for rate in RATES:
        own = [result for result in results if result.planted.rate == rate]
        affected = [result for result in own if result.planted.is_affected_at_end]
        n_changes = sum(len(result.planted.changes) for result in own)
        n_false = sum(result.is_false for result in own)
        n_fixed = sum(result.is_false_fix for result in affected)
        n_placed = sum(result.n_placed for result in own)
        sizes = [size for result in own for size in result.set_sizes]
        row = [
            rate,
            f"{n_false} of {len(own)}",
            f"{n_fixed} of {len(affected)}",
            percent(sum(result.n_found for result in own), n_changes),
            percent(n_placed, n_changes),
            f"{np.median(sizes):.0f}" if sizes else "–",
        ]
        rows.append(row)
        is_too_false = n_false > 0.01 * len(own) or n_fixed > 0.01 * len(affected)
        if is_too_false or (rate >= 0.05 and n_placed < 0.99 * n_changes):
            missed.append(", ".join(map(str, row)))
    return rows, missed


def tabulate_confidence(results: Sequence[Comparison]) -> tuple[list[list[object]], list[str]]:
    """Return stated beside achieved confidence, and the bins that promise too much."""
    rows, missed = [], []
    stated = [pair for result in results for pair in result.stated]
    for low, high in itertools.pairwise(BINS):
        own = [pair for pair in stated if low <= pair[0] < high or pair[0] == high == 1.0]
        if not own:
            continue
        mean = float(np.mean([probability for probability, _ in own]))
        right = Counts(sum(is_right for _, is_right in own), len(own))
        share = right.n_failures / right.n_trials
        achieved = "{:.4f} ({:.3f}–{:.3f})".format(share, *interval(right))
        rows.append([f"{low}–{high}", len(own), f"{mean:.4f}", achieved])
        if share < mean - 0.02:
            missed.append(f"stated {low}–{high}: {share:.3f} for {mean:.3f}")
    return rows, missed


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables; return 1 if a bar is missed."""
    options = make_parser(__doc__).parse_args(arguments)
    writer = TableWriter("scripts.calibrate", options, ["numpy", "scipy"])
    n_histories, n_processes = (40, 1) if options.quick else (8000, os.cpu_count() or 1)
    results = map_in_processes(examine_one, n_histories, n_processes)
    rates, missed_rates = tabulate_rates(results)
    columns = ["rate", "false transition", "false fixed", "found", "in the 99 % set"]
    writer.write("calibration by rate", [*columns, "size of the set, median"], rates)
    bins, missed_bins = tabulate_confidence(results)
    columns = ["stated", "changes", "mean stated", "achieved, 95 %"]
    writer.write("calibration of confidence", columns, bins)
    n_cells = len(NOISES) * len(NOISY_RATES)
    if options.quick:
        noisy = [examine_noisy(cell * N_NOISY) for cell in range(n_cells)]
    else:
        noisy = map_in_processes(examine_noisy, n_cells * N_NOISY, n_processes)
    rows, missed_noise = tabulate_noise(noisy)
    columns = ["noise", "rate", "false transition", "false fixed", "found"]
    writer.write("calibration of noise", [*columns, f"true of those above {SURE}"], rows)
    return report_missed(missed_rates + missed_bins + missed_noise, options)


if __name__ == "__main__":
    sys.exit(main())
