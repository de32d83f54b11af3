"""How far the stated confidence can be relied on: ``make calibrate``.

The truth is planted in thousands of synthetic histories: no change, one that appears, one that is
fixed, both; rates from 0.005 to 1; gaps, and numbers of trials that change. What Fixwatch states is
set beside it, and beside what asv's step detection and a plain Fisher test say of the same counts.
Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import math
import multiprocessing
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from asv.step_detect import detect_regressions, detect_steps
from scipy import stats

from fixwatch.statistics.binomial import Counts
from fixwatch.statistics.change_points import find_change_points
from fixwatch.statistics.states import State, analyse_history, derive_state
from fixwatch.verdicts.judgements import Judgement, Verdict

KINDS = ("never", "always", "appear", "fix", "appear, fix")
RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 0.9, 1.0)
# Measured revisions on both sides of each change; nearer to the end nothing can be known yet.
MIN_SIDE = 5
GAP_RATE = 0.1
FISHER_LEVEL = 0.01
# asv's detection takes seconds for a long history.
ASV_SHARE = 0.2
BINS = (0.5, 0.9, 0.99, 0.999, 1.0)


@dataclass(frozen=True, kw_only=True)
class Planted:
    """A synthetic history and its truth.

    Attributes
    ----------
    failures, trials
        By revision; 0 of 0 where there is a gap.
    changes
        Kind and index of the first revision after each planted change.
    """

    kind: str
    rate: float
    failures: np.ndarray
    trials: np.ndarray
    changes: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a method found in a history.

    Attributes
    ----------
    is_false
        A transition that was not planted.
    is_false_fix
        The newest revision is affected, and called fixed.
    n_found, n_placed
        Planted changes that were found; and whose true place is among the stated ones.
    """

    is_false: bool
    is_false_fix: bool
    n_found: int
    n_placed: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """One history under all methods."""

    kind: str
    rate: float
    n_changes: int
    by_method: dict[str, Finding]
    # Stated probability, whether it was so.
    stated: tuple[tuple[float, bool], ...]
    n_places: tuple[int, ...]


def plant(kind: str, rate: float, rng: np.random.Generator) -> Planted:
    """Make a history of 20 to 300 revisions."""
    length = int(rng.integers(20, 301))
    trials = rng.choice([100, 100, 100, 200], size=length)
    trials[rng.random(length) < GAP_RATE] = 0
    measured = np.flatnonzero(trials)
    n_changes = {"never": 0, "always": 0, "appear": 1, "fix": 1, "appear, fix": 2}[kind]
    places: list[int] = []
    if n_changes:
        inner = rng.choice(np.arange(MIN_SIDE, len(measured) - MIN_SIDE), size=2, replace=False)
        first, second = sorted(int(each) for each in inner)
        if n_changes == 2 and second - first < MIN_SIDE:
            first, second = MIN_SIDE, len(measured) - MIN_SIDE
        places = [int(measured[first]), int(measured[second])][:n_changes]
    is_affected = np.full(length, kind in ("always", "fix"))
    changes = []
    for place in places:
        is_affected[place:] = ~is_affected[place:]
        changes.append(("appeared" if is_affected[place] else "fixed", place))
    failures = rng.binomial(trials, np.where(is_affected, rate, 0.0))
    return Planted(kind=kind, rate=rate, failures=failures, trials=trials, changes=tuple(changes))


def judge_findings(
    planted: Planted, found: Iterable[tuple[str, int, Sequence[int]]], *, is_called_fixed: bool
) -> Finding:
    """Compare found changes (kind, likeliest place, possible places) with the planted ones.

    A planted change is found if one of its kind is, nearer to it than to any other planted one of
    its kind; what is left over is false.
    """
    open_changes = list(planted.changes)
    n_found = n_placed = n_false = 0
    for kind, at, places in found:
        candidates = [each for each in open_changes if each[0] == kind]
        if not candidates:
            n_false += 1
            continue
        nearest = min(candidates, key=lambda each: abs(each[1] - at))
        open_changes.remove(nearest)
        n_found += 1
        n_placed += nearest[1] in places
    is_affected_now = planted.kind in ("always", "appear")
    return Finding(
        is_false=n_false > 0,
        is_false_fix=is_affected_now and is_called_fixed,
        n_found=n_found,
        n_placed=n_placed,
    )


def examine(planted: Planted, *, with_asv: bool) -> Result:
    """Run every method over a history."""
    revisions = [
        {"delay": Counts(int(k), int(n))} if n else {}
        for k, n in zip(planted.failures, planted.trials, strict=True)
    ]
    history = analyse_history(revisions)
    judgements = [
        Judgement(Verdict.OBSERVED if k else Verdict.NOT_OBSERVED) for k in planted.failures
    ]
    state = derive_state(history, judgements)
    by_method = {
        "Fixwatch": judge_findings(
            planted,
            [(change.kind, change.at, change.places) for change in history.changes],
            is_called_fixed=state.state is State.FIXED,
        ),
        "Fisher": _apply_fisher(planted),
    }
    if with_asv:
        by_method["asv"] = _apply_asv(planted)
    measured = np.flatnonzero(planted.trials)
    possible = find_change_points(
        planted.failures[measured][:, None].tolist(), planted.trials[measured][:, None].tolist()
    ).changes
    truth = {(kind, place) for kind, place in planted.changes}
    return Result(
        kind=planted.kind,
        rate=planted.rate,
        n_changes=len(planted.changes),
        by_method=by_method,
        stated=tuple(
            (
                each.probability,
                # Wherever it is: between the neighbouring changes there is one of its kind.
                any(kind == each.kind for kind, _ in truth),
            )
            for each in possible
        ),
        n_places=tuple(len(change.places) for change in history.changes),
    )


def _apply_fisher(planted: Planted) -> Finding:
    """Test each two neighbours, with Bonferroni's correction: the obvious way."""
    measured = np.flatnonzero(planted.trials)
    found = []
    for before, at in itertools.pairwise(measured):
        table = [
            [planted.failures[i], planted.trials[i] - planted.failures[i]] for i in (before, at)
        ]
        if stats.fisher_exact(table).pvalue * (len(measured) - 1) < FISHER_LEVEL:
            rates = [planted.failures[i] / planted.trials[i] for i in (before, at)]
            kind = "appeared" if rates[1] > rates[0] else "fixed"
            found.append((kind, int(at), [int(at)]))
    return judge_findings(planted, found, is_called_fixed=bool(found) and found[-1][0] == "fixed")


def _apply_asv(planted: Planted) -> Finding:
    """Take asv's steps up that it reports as regressions, and its steps down for fixes."""
    rates = [
        float(k / n) if n else None for k, n in zip(planted.failures, planted.trials, strict=True)
    ]
    steps = detect_steps(rates)
    _, _, regressions = detect_regressions(steps, threshold=0.05)
    reported = {position[1] for position in regressions or ()}
    found = []
    for before, step in itertools.pairwise(steps):
        if step[2] > before[2] and step[0] in reported:
            found.append(("appeared", step[0], [step[0]]))
        elif step[2] < before[2]:
            found.append(("fixed", step[0], [step[0]]))
    return judge_findings(planted, found, is_called_fixed=bool(found) and found[-1][0] == "fixed")


def examine_one(number: int, seed: int) -> Result:
    """Plant and examine the history of a number."""
    rng = np.random.default_rng([seed, number])
    kind = KINDS[number % len(KINDS)]
    rate = RATES[number // len(KINDS) % len(RATES)]
    return examine(plant(kind, rate, rng), with_asv=rng.random() < ASV_SHARE)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "–"


def print_methods(results: Sequence[Result]) -> None:
    """Print each method's errors, over the histories that it was applied to."""
    print("| method | histories | false transition | false fixed | found | in the stated place |")
    print("|---|---|---|---|---|---|")
    for method in ("Fixwatch", "Fisher", "asv"):
        own = [(each, each.by_method[method]) for each in results if method in each.by_method]
        affected = [finding for each, finding in own if each.kind in ("always", "appear")]
        n_changes = sum(each.n_changes for each, _ in own)
        columns = [
            f"{len(own)}",
            _percent(sum(finding.is_false for _, finding in own), len(own)),
            _percent(sum(finding.is_false_fix for finding in affected), len(affected)),
            _percent(sum(finding.n_found for _, finding in own), n_changes),
            _percent(sum(finding.n_placed for _, finding in own), n_changes),
        ]
        print(f"| {method} | {' | '.join(columns)} |")


def print_rates(results: Sequence[Result]) -> list[str]:
    """Print Fixwatch's errors by rate; return the bars that are missed."""
    missed = []
    print(
        "| rate | histories | no change: false transition | false fixed | found | in the 99 % set "
        "| size of the set, median |"
    )
    print("|---|---|---|---|---|---|---|")
    for rate in RATES:
        own = [each for each in results if each.rate == rate]
        findings = [(each, each.by_method["Fixwatch"]) for each in own]
        still = [finding for each, finding in findings if not each.n_changes]
        affected = [finding for each, finding in findings if each.kind in ("always", "appear")]
        n_changes = sum(each.n_changes for each in own)
        n_false = sum(finding.is_false for finding in still)
        n_fixed = sum(finding.is_false_fix for finding in affected)
        n_found = sum(finding.n_found for _, finding in findings)
        n_placed = sum(finding.n_placed for _, finding in findings)
        sizes = [size for each in own for size in each.n_places]
        print(
            f"| {rate} | {len(own)} | {n_false} of {len(still)} | {n_fixed} of {len(affected)} | "
            f"{_percent(n_found, n_changes)} | {_percent(n_placed, n_changes)} | "
            f"{np.median(sizes) if sizes else math.nan:.0f} |"
        )
        if n_false > 0.01 * len(still):
            missed.append(f"false transitions at rate {rate}: {n_false} of {len(still)}")
        if n_fixed > 0.01 * len(affected):
            missed.append(f"false fixes at rate {rate}: {n_fixed} of {len(affected)}")
        if rate >= 0.05 and n_placed < 0.99 * n_changes:
            missed.append(f"found in the stated set at rate {rate}: {n_placed} of {n_changes}")
    return missed


def print_bins(results: Sequence[Result]) -> list[str]:
    """Print stated beside achieved confidence; return the bins that promise too much."""
    missed = []
    stated = [each for result in results for each in result.stated]
    print("| stated | changes | mean stated | achieved, 95 % |")
    print("|---|---|---|---|")
    for low, high in itertools.pairwise(BINS):
        own = [each for each in stated if low <= each[0] < high or (high == 1.0 and each[0] == 1.0)]
        if not own:
            continue
        mean = float(np.mean([probability for probability, _ in own]))
        n_right = sum(is_right for _, is_right in own)
        interval = stats.binomtest(n_right, len(own)).proportion_ci(0.95, method="exact")
        print(
            f"| {low}–{high} | {len(own)} | {mean:.4f} | {n_right / len(own):.4f} "
            f"({interval.low:.3f}–{interval.high:.3f}) |"
        )
        if n_right / len(own) < mean - 0.02:
            missed.append(f"stated {low}–{high}: {n_right / len(own):.3f} for {mean:.3f}")
    return missed


def main() -> int:
    """Run the calibration and print its tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    run = functools.partial(examine_one, seed=options.seed)
    with multiprocessing.get_context("spawn").Pool() as pool:
        results = pool.map(run, range(options.histories), chunksize=20)
    print_methods(results)
    print()
    missed = print_rates(results)
    print()
    missed += print_bins(results)
    for line in missed:
        print(f"missed: {line}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
