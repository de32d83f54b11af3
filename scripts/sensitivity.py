"""How well the schedules tell wrong fixes from right ones: ``make sensitivity``.

Each way of swapping globals in `tests.subjects.swaps` is run under each schedule. Rates come with
exact 95 % intervals; the chance that the batch plan misses a variant is the Beta-binomial chance
that all its trials pass. How soon each schedule finds a variant, `explore` too, stands in a table
of its own, see `scripts.compare_schedules`.

The counts of the wrong fixes also become the ones that `fixwatch judge` uses, so that those and the
document come from one run; not with ``--quick`` or ``--document``.
"""

from __future__ import annotations

import math
import platform
import sys
from collections.abc import Sequence

from fixwatch.statistics.binomial import Counts, chance_of_silence, interval, upper_bound
from fixwatch.verdicts.wrong_fixes import WrongFixTable, save_wrong_fixes
from mwe.defects import DEFAULT_WORKLOAD, WORKLOADS
from mwe.planned.plan import find_planned_trials
from mwe.runner import iter_trials
from mwe.schedules import find_schedule, find_schedules
from mwe.targets import Target
from mwe.workloads.planted_race.subjects import SwapSubject
from scripts.compare_schedules import COLUMNS, compare
from scripts.tables import TableWriter, make_parser, percent
from tests.subjects.swaps import RACY, RARE, SOUND, make_swap_on_each_call

VARIANTS = {"swap-on-each-call": make_swap_on_each_call, **RACY, **SOUND}
# The planned trials of the default workload, by schedule.
PLAN = {
    name: n_trials
    for name in find_schedules(Target.SIMULATOR)
    if name != "explore"
    and (n_trials := find_planned_trials(WORKLOADS[DEFAULT_WORKLOAD], name, Target.SIMULATOR))
}


def find_failures(name: str, schedule: str, n_trials: int) -> list[bool]:
    """Run trials of a variant as a batch does: after each failure on a simulator of its own."""
    configuration = find_schedule(schedule)
    size = n_trials if name in SOUND else 1
    return [
        trial.outcome.failed
        for start in range(1, n_trials + 1, size)
        for trial in iter_trials(
            SwapSubject(VARIANTS[name](), configuration.n_active_threads),
            configuration,
            seed=1,
            numbers=range(start, start + size),
        )
    ]


def measure_variant(name: str, n_trials: int) -> tuple[dict[str, Counts], list[list[object]]]:
    """Return the counts of a variant by schedule, and the rows that show them."""
    rates, rows = {}, []
    for schedule in PLAN:
        failures = find_failures(name, schedule, n_trials)
        counts = rates[schedule] = Counts(sum(failures), n_trials)
        if name in SOUND:
            bound, again = f"at most {upper_bound(counts):.2g}", "–"
        else:
            replayed = find_failures(name, schedule, n_trials)
            n_same = sum(first is second for first, second in zip(failures, replayed, strict=True))
            again = percent(n_same, n_trials)
            low, high = interval(counts)
            bound = f"{low:.3f}–{high:.3f}"
        rows.append([name, schedule, f"{counts.n_failures} of {n_trials}", bound, again])
        print(*rows[-1], sep=", ", file=sys.stderr, flush=True)
    return rates, rows


def predict_passing(rates: dict[str, Counts]) -> str:
    """Return the chance that all trials of a plan pass."""
    chance = math.prod(chance_of_silence(PLAN[name], counts) for name, counts in rates.items())
    return f"{chance:.1g}" if chance > 1e-16 else "below 1e-16"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables."""
    options = make_parser(__doc__).parse_args(arguments)
    writer = TableWriter("scripts.sensitivity", options)
    n_racy, n_sound = (6, 20) if options.quick else (500, 5000)
    rows, plans, wrong_fixes = [], [], {}
    for name in VARIANTS:
        rates, own = measure_variant(name, n_sound if name in SOUND else n_racy)
        rows += own
        if name not in SOUND:
            plans.append([name, predict_passing(rates)])
        if name in RACY:
            wrong_fixes[name] = rates
    columns = ["variant", "schedule", "failures", "rate, 95 %", "same outcome again, same seed"]
    writer.write("sensitivity", columns, rows)
    columns = ["racy variant", "chance that all trials of the plan pass"]
    writer.write("sensitivity of the plan", columns, plans)
    compared = compare(RARE, 1) if options.quick else compare({**VARIANTS, **RARE}, 100)
    writer.write("schedules side by side", COLUMNS, compared)
    if not options.quick and options.document is None:
        python = f"{platform.python_implementation()} {platform.python_version()}"
        save_wrong_fixes(WrongFixTable(measured_with=python, counts=wrong_fixes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
