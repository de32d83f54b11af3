"""What the records on disk say of the commits of a range."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from fixwatch.history.listing import ListedCommit
from fixwatch.records.evidence import Evidence
from fixwatch.statistics.binomial import Floats
from fixwatch.statistics.noisy_counts import TrialKind
from fixwatch.statistics.single_change import SingleChange
from fixwatch.verdicts.assessment import Assessment, assess
from fixwatch.verdicts.explorations import count_failures, describe_exploration
from fixwatch.verdicts.targets import SIMULATOR, find_trial_kind
from mwe.planned.plan import EXPLORE

# What a commit that touches nothing a launch uses weighs as a place of the change: the selection
# of relevant commits may be wrong, but hardly is.
UNSELECTED_WEIGHT = 0.001


@dataclass(frozen=True, order=True)
class MeasuringSetup:
    """What trials share that fail at the same rate on the same commit."""

    machine: str
    python: str
    schedule: str


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Why a commit says nothing."""

    stage: str  # the step that failed, or ``verdict`` where trials ran and do not count
    reason: str


@dataclass(frozen=True, kw_only=True)
class Observations:
    """Counts by commit and measuring setup."""

    # Further trials are run in the first. In those of `explore` an exploration is one trial.
    setups: tuple[MeasuringSetup, ...]
    failures: Floats  # of shape (commits, setups)
    trials: Floats
    weights: tuple[float, ...]  # of each commit as a place of the change
    own: dict[int, Evidence]  # of the first setup's machine and Python, by the commit's index
    gaps: dict[int, Gap]  # those of them that say nothing
    target: str = SIMULATOR

    def needs_build(self, index: int) -> bool:
        """Whether a commit has to be built before it says anything."""
        return index not in self.own or index in self.gaps

    def count_trials(self, index: int | None = None) -> tuple[int, int]:
        """Return failures and trials, of a commit or of all, without explorations."""
        return self._count(index, is_explored=False)

    def describe(self, index: int | None = None) -> str:
        """Return in words what trials and explorations found, of a commit or of all."""
        n_failures, n_trials = self.count_trials(index)
        n_failed, n_explored = self._count(index, is_explored=True)
        failed = "a schedule failed" + (f" in {n_failed} of {n_explored}" if n_explored > 1 else "")
        says = f"; explored: {failed if n_failed else 'every schedule passed'}"
        return f"{n_failures} of {n_trials} trials failed{says if n_explored else ''}"

    def _count(self, index: int | None, *, is_explored: bool) -> tuple[int, int]:
        columns = [(kind is TrialKind.EXPLORED) is is_explored for kind in self.kinds]
        rows = slice(None) if index is None else slice(index, index + 1)
        failures, trials = self.failures[rows][:, columns], self.trials[rows][:, columns]
        return int(failures.sum()), int(trials.sum())

    def infer(self) -> SingleChange:
        """Return what they say of the change."""
        return SingleChange(self.failures, self.trials, self.weights, self.kinds)

    @property
    def kinds(self) -> list[TrialKind]:
        """Of each setup, what one of its trials says."""
        return [find_trial_kind(self.target, setup.schedule) for setup in self.setups]


def select_records(records: Iterable[Evidence], upstream: str, target: str) -> list[Evidence]:
    """Return the records of an upstream's commits whose counts mean the same."""
    own = [
        record
        for record in records
        if (record.upstream, record.source, record.target) == (upstream, "commits", target)
    ]
    # Of all machines: counts that mean something else are evidence of something else.
    newest = max((int(record.measurement_version or 0) for record in own), default=0)
    return [record for record in own if int(record.measurement_version or newest) == newest]


def observe(
    commits: Sequence[ListedCommit],
    records: Iterable[Evidence],
    workload: str,
    setup: MeasuringSetup,
    *,
    target: str = SIMULATOR,
) -> Observations:
    """Count what the records say of a workload; see `select_records` for which of them.

    The setup is that of this machine; records of others count with rates of their own. Of sampling
    schedules only its own counts: a race that is rare under one is rare under all, so that silence
    under several is no more evidence than silence under the one that finds most. What an
    exploration shows is no luck, so it counts beside them, as one experiment.
    """
    places = {commit.commit: index for index, commit in enumerate(commits)}
    counted = []
    own = {}
    gaps = {}
    for record in records:
        index = places.get(record.commit)
        if index is None:
            continue
        assessment = assess(record)
        if not record.not_run_reason and not assessment.of_workload(workload):
            continue
        counts = assessment.count_for_history(workload)
        found = counts.pop(setup.schedule, None)
        if found and not found.n_failures and any(other.n_failures for other in counts.values()):
            # A batch that is silent under this schedule while another one fails is no silence.
            found = None
        if found:
            counted.append(
                (index, MeasuringSetup(record.machine, record.python, setup.schedule), found)
            )
        explored = counts.get(EXPLORE)
        if explored:
            counted.append(
                (index, MeasuringSetup(record.machine, record.python, EXPLORE), explored)
            )
        if (record.machine, record.python) == (setup.machine, setup.python):
            own[index] = record
            if not found and not (explored and explored.n_failures):
                gaps[index] = _describe_gap(assessment, workload)
    setups = (setup, *sorted({used for _, used, _ in counted} - {setup}))
    failures, trials = np.zeros((2, len(commits), len(setups)))
    for index, used, found in counted:
        failures[index, setups.index(used)] += found.n_failures
        trials[index, setups.index(used)] += found.n_trials
    return Observations(
        setups=setups,
        failures=failures,
        trials=trials,
        weights=tuple(1.0 if commit.reasons else UNSELECTED_WEIGHT for commit in commits),
        own=own,
        gaps=gaps,
        target=target,
    )


def _describe_gap(assessment: Assessment, workload: str) -> Gap:
    record = assessment.record
    if record.not_run_reason:
        return Gap(stage=record.not_run_stage or "unknown", reason=record.not_run_reason)
    for assessed in assessment.of_workload(workload):
        if assessed.batch.reason:
            return Gap(stage=assessed.batch.stage or "batch", reason=assessed.batch.reason)
        if assessed.spoiled:
            return Gap(stage="verdict", reason=assessed.spoiled)
        if assessed.batch.is_exploration and not count_failures(assessed.batch):
            return Gap(stage="verdict", reason=describe_exploration(assessed.batch))
    return Gap(
        stage="verdict",
        reason="failures of another kind, or under another schedule only; look at its record",
    )
