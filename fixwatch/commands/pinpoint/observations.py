"""What the records on disk say of the commits of a range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fixwatch.history.listing import ListedCommit
from fixwatch.records.evidence import Evidence
from fixwatch.statistics.change_points import Floats
from fixwatch.statistics.single_change import SingleChange
from fixwatch.verdicts.controls import describe_misbehaviour
from fixwatch.verdicts.series import count_for_history

# What a commit that touches nothing a launch uses weighs as a place of the change: the selection
# of relevant commits may be wrong, but hardly is.
UNSELECTED_WEIGHT = 0.001


@dataclass(frozen=True, order=True)
class Way:
    """A way of measuring, with rates of its own."""

    machine: str
    python: str
    schedule: str


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Why a commit says nothing.

    Attributes
    ----------
    stage
        The step that failed, or ``verdict`` where trials ran and do not count.
    """

    stage: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Counts by commit and way of measuring.

    Attributes
    ----------
    ways
        In the order of the columns; the first is the one that further trials are run in.
    failures, trials
        Of shape (commits, ways).
    weights
        Of each commit as a place of the change.
    own
        The records of this way's machine and Python, by the commit's index.
    gaps
        Those of them that say nothing.
    """

    ways: tuple[Way, ...]
    failures: Floats
    trials: Floats
    weights: tuple[float, ...]
    own: dict[int, Evidence]
    gaps: dict[int, Gap]

    def infer(self) -> SingleChange:
        """Return what they say of the change."""
        return SingleChange(self.failures, self.trials, self.weights)


def select_records(records: Iterable[Evidence], upstream: str, target: str) -> list[Evidence]:
    """Return the records of an upstream's commits whose counts mean the same."""
    own = [
        record
        for record in records
        if (record.upstream, record.source, record.target) == (upstream, "commits", target)
    ]
    # Of all machines: counts that mean something else are evidence of something else.
    newest = max((int(record.measurement_version or 0) for record in own), default=0)
    return [each for each in own if int(each.measurement_version or newest) == newest]


def observe(
    commits: Sequence[ListedCommit], records: Iterable[Evidence], workload: str, way: Way
) -> Observations:
    """Count what the records say of a workload.

    Parameters
    ----------
    commits
        The range, oldest first.
    records
        Those that mean the same, see `select_records`.
    workload
        Its name.
    way
        That of this machine; records of others count with rates of their own. Of schedules only
        its own counts: a race that is rare under one is rare under all, so that silence under
        several is no more evidence than silence under the one that finds most.
    """
    places = {each.commit: index for index, each in enumerate(commits)}
    counted = []
    own = {}
    gaps = {}
    for record in records:
        index = places.get(record.commit)
        if index is None:
            continue
        counts = count_for_history(record, workload)
        if not record.not_run_reason and not _has_part(record, workload):
            continue
        shows_elsewhere = any(
            each.n_failures for schedule, each in counts.items() if schedule != way.schedule
        )
        if shows_elsewhere and way.schedule in counts and not counts[way.schedule].n_failures:
            # Silent here and failing there is no silence.
            counts = {}
        if way.schedule in counts:
            found = counts[way.schedule]
            counted.append((index, Way(record.machine, record.python, way.schedule), found))
        if (record.machine, record.python) == (way.machine, way.python):
            own[index] = record
            if way.schedule not in counts:
                gaps[index] = _describe_gap(record, workload)
    ways = (way, *sorted({measured_way for _, measured_way, _ in counted} - {way}))
    failures, trials = np.zeros((2, len(commits), len(ways)))
    for index, measured_way, each in counted:
        failures[index, ways.index(measured_way)] += each.n_failures
        trials[index, ways.index(measured_way)] += each.n_trials
    return Observations(
        ways=ways,
        failures=failures,
        trials=trials,
        weights=tuple(1.0 if each.reasons else UNSELECTED_WEIGHT for each in commits),
        own=own,
        gaps=gaps,
    )


def _has_part(record: Evidence, workload: str) -> bool:
    """Whether a workload was part of the run."""
    return any(batch.workload == workload for batch in record.batches)


def _describe_gap(record: Evidence, workload: str) -> Gap:
    if record.not_run_reason:
        return Gap(stage=record.not_run_stage or "unknown", reason=record.not_run_reason)
    for batch in record.batches:
        if batch.workload == workload and batch.reason:
            return Gap(stage=batch.stage or "batch", reason=batch.reason)
        misbehaviour = batch.workload == workload and describe_misbehaviour(record, batch.schedule)
        if misbehaviour:
            return Gap(stage="verdict", reason=misbehaviour)
    return Gap(
        stage="verdict",
        reason="failures of another kind, or under another schedule only; look at its record",
    )
