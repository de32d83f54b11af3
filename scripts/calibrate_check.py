"""How often a weekly check raises a false alarm: ``make calibrate``.

A thousand years of weekly checks of clean upstreams are simulated, in which the harness fails by
itself in one of ten thousand trials; where some failed, but too few for a change, the batches go
on. `fixwatch.commands.check.comparison` compares them. Exits with 1 if a bar is missed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from fixwatch.commands.check.comparison import (
    ARTEFACT_RATE,
    NEGATIVE_CONTROL,
    POSITIVE_CONTROL,
    Checked,
    CheckResult,
    Recorded,
    compare,
    find_needed_failures,
)
from fixwatch.records.plans import NEWEST_KINDS, STRAY_TRIALS
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.states import State
from mwe.defects import DEFECTS
from scripts.tables import TableWriter, make_parser, percent, report_missed

UPSTREAMS = ("numba", "numba-cuda")
CONTROL = "0.26.0"
WEEKS = 52
# Of a defect's workloads under all schedules that decide, in one revision.
N_TRIALS = (470, 1000)
N_YEARS = 1000
MAX_ALARM_SHARE = 0.01
SEED = 1


def count_alarms(n_years: int, n_trials: int, artefact_rate: float) -> tuple[int, int, int]:
    """Return the years with a false alarm, weeks with a failure, and weeks without an answer."""
    rng = np.random.default_rng([SEED, n_trials])
    recorded = [_record(upstream, defect) for upstream in UPSTREAMS for defect in DEFECTS]
    needed = find_needed_failures(n_trials)
    n_alarmed = n_failing = n_unanswered = 0
    # Of each defect the newest revisions of both upstreams, and the negative control.
    size = (n_years, WEEKS, len(DEFECTS), len(UPSTREAMS) * len(NEWEST_KINDS) + 1)
    for year in rng.binomial(n_trials, artefact_rate, size):
        is_alarmed = False
        for week in year:
            if not week.any():
                continue
            # Each of a stray's failures in a batch of its own, which makes for most trials.
            more = STRAY_TRIALS * np.where(week < needed, week, 0)
            failures, trials = week + rng.binomial(more, artefact_rate), n_trials + more
            outcome = compare(recorded, _check(failures, trials)).outcome
            n_failing += 1
            is_alarmed |= outcome is CheckResult.CHANGED
            n_unanswered += outcome is CheckResult.COULD_NOT_MEASURE
        n_alarmed += is_alarmed
    return n_alarmed, n_failing, n_unanswered


def _record(upstream: str, defect: str) -> Recorded:
    return Recorded(
        upstream=upstream,
        defect=defect,
        state=State.NEVER_OBSERVED.value,
        since=None,
        newest=CONTROL,
        positive_control=CONTROL,
        negative_control=CONTROL,
    )


def _check(failures: np.ndarray, trials: np.ndarray) -> list[Checked]:
    """Return what a week's check measured, from its counts by defect and revision."""
    places = [(upstream, kind) for upstream in UPSTREAMS for kind in NEWEST_KINDS]
    places.append((UPSTREAMS[0], NEGATIVE_CONTROL))
    rows = []
    for defect, own_failures, own_trials in zip(
        DEFECTS, failures.tolist(), trials.tolist(), strict=True
    ):
        counted = [*zip(places, own_failures, own_trials, strict=True)]
        n_most = max(own_trials)
        for (upstream, kind), n_failures, n_trials in [
            *counted,
            ((UPSTREAMS[0], POSITIVE_CONTROL), n_most, n_most),
        ]:
            rows.append(
                Checked(
                    upstream=upstream,
                    defect=defect,
                    kind=kind,
                    name=CONTROL,
                    commit="0" * 40,
                    date="2026-01-01T00:00:00+00:00",
                    verdict=Verdict.OBSERVED if n_failures else Verdict.NOT_OBSERVED,
                    n_failures=n_failures,
                    n_trials=n_trials,
                )
            )
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table; return 1 if a bar is missed."""
    options = make_parser(__doc__).parse_args(arguments)
    writer = TableWriter("scripts.calibrate_check", options, ["numpy", "scipy"])
    n_years = 2 if options.quick else N_YEARS
    rows, missed = [], []
    for n_trials in N_TRIALS:
        n_alarmed, n_failing, n_unanswered = count_alarms(n_years, n_trials, ARTEFACT_RATE)
        n_weeks = n_years * WEEKS
        row: list[object] = [n_trials, f"{n_alarmed} of {n_years}", percent(n_failing, n_weeks)]
        rows.append([*row, percent(n_unanswered, n_weeks)])
        if n_alarmed > MAX_ALARM_SHARE * n_years:
            missed.append(", ".join(map(str, row)))
    columns = ["trials of a defect", "years with a false alarm", "weeks with a failure"]
    writer.write("false alarms", [*columns, "weeks without an answer"], rows)
    return report_missed(missed, options)


if __name__ == "__main__":
    sys.exit(main())
