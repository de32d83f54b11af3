"""What a record shows: the one place where a measured revision gets its verdict.

It is decided in two stages, because the first needs the record alone and the second needs others::

    record -- assess() --> Assessment              counts, what was shown, which controls failed
    Assessment -- judge() --> JudgedRevision       a verdict for each batch of a workload, and one
              rates of affected revisions          for the revision

Between the two stands the history: `Assessment.count_for_history` says what a revision brings to
it, the histories say which revisions are surely affected, and the failure rates of those say what
the silence of another one is worth (`fixwatch.verdicts.series`). Page, pin advice, check, judge and
pinpoint read what is decided here; none of them decides again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import cached_property

from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.verdicts.controls import WORKLOAD, ControlCheck, check_controls
from fixwatch.verdicts.explorations import (
    count_failures,
    find_defect_in_the_way,
    find_printed,
    is_exhausted,
)
from fixwatch.verdicts.judgements import (
    Judgement,
    Verdict,
    combine_judgements,
    combine_verdicts,
    count_batch,
    count_experiments,
    count_shown,
    is_refused,
    judge_batch,
)
from mwe.defects import DEFAULT_WORKLOADS


@dataclass(frozen=True, kw_only=True)
class BatchAssessment:
    """What the record alone says of a batch."""

    batch: BatchEvidence
    # Failures of whichever mode; None where nothing ran, and of explorations.
    counts: Counts | None
    # What it brings to a history; None where it says nothing.
    experiments: Counts | None
    controls: ControlCheck
    # Why the batch must be ignored; None if its controls passed, and for controls themselves.
    spoiled: str | None

    @property
    def decides(self) -> bool:
        """Whether the revision's verdict rests on it.

        A failure counts under any schedule, unless it is another defect's; the silence of an
        exploration if its space was run.
        """
        if count_failures(self.batch) and not find_defect_in_the_way(self.batch):
            return True
        return is_exhausted(self.batch) if self.batch.is_exploration else self.batch.decides


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One revision under one schedule, judged."""

    record: Evidence
    batch: BatchEvidence | None = None  # None where the workload was no part of the run
    counts: Counts | None = None  # None where nothing ran, and of explorations
    experiments: Counts | None = None  # what it brings to a history; None where it says nothing
    decides: bool = True  # whether the revision's verdict rests on it
    judgement: Judgement

    @property
    def schedule(self) -> str | None:
        """The schedule's name; None without a batch."""
        return self.batch.schedule if self.batch else None


@dataclass(frozen=True, kw_only=True)
class JudgedRevision:
    """A revision under all schedules of a workload, judged."""

    record: Evidence
    workload: str
    measurements: tuple[Measurement, ...]

    @cached_property
    def deciding(self) -> tuple[Measurement, ...]:
        """The measurements that its verdict rests on."""
        return tuple(measurement for measurement in self.measurements if measurement.decides)

    @cached_property
    def judgement(self) -> Judgement:
        """The judgement over these; where there are none, what was run decides nothing."""
        found = combine_judgements(
            [measurement.judgement for measurement in self.deciding or self.measurements]
        )
        is_undecided = not self.deciding and found.verdict is not Verdict.NOT_RUN
        return Judgement(Verdict.INCONCLUSIVE) if is_undecided else found

    @property
    def can_be_left_out(self) -> bool:
        """Whether the silence of the defect's other workloads can do without this one.

        Of a workload that does not stand for its defect a part may be explored, and nothing else be
        run. One of which nothing ran may not be left out.
        """
        has_run = any(found.batch and find_printed(found.batch) for found in self.measurements)
        return has_run and not self.deciding and self.workload not in DEFAULT_WORKLOADS

    @property
    def verdict(self) -> Verdict:
        """The verdict over these."""
        return self.judgement.verdict

    @property
    def counts(self) -> Counts | None:
        """The counts of these together, without explorations; None where nothing ran."""
        return pool_counts(found.counts for found in self.deciding if found.counts)

    @property
    def is_refused(self) -> bool:
        """Whether upstream refuses such launches, with an error that says so."""
        batches = [measurement.batch for measurement in self.deciding]
        return bool(batches) and all(batch and is_refused(batch) for batch in batches)

    @property
    def explorations(self) -> tuple[BatchEvidence, ...]:
        """The batches of different schedules, which have no counts."""
        batches = [measurement.batch for measurement in self.measurements]
        return tuple(batch for batch in batches if batch and batch.is_exploration)

    @property
    def largest_counts(self) -> Counts | None:
        """The counts of the largest measurement with the revision's verdict.

        None if none has it but an exploration.
        """
        matching = [
            measurement.counts
            for measurement in self.deciding
            if measurement.counts and measurement.judgement.verdict is self.verdict
        ]
        return max(matching, key=lambda counts: counts.n_trials, default=None)


def combine_workloads(revisions: Iterable[JudgedRevision]) -> Verdict:
    """Return the verdict of a revision over several workloads of a defect, each judged by itself.

    One that can be left out counts where there is no other.
    """
    judged = list(revisions)
    needed = [revision for revision in judged if not revision.can_be_left_out]
    return combine_verdicts([revision.verdict for revision in needed or judged])


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """What a record alone says, batch by batch."""

    record: Evidence
    batches: tuple[BatchAssessment, ...]

    def of_workload(self, workload: str) -> list[BatchAssessment]:
        """Return the batches of a workload; none if it was no part of the run."""
        return [assessed for assessed in self.batches if assessed.batch.workload == workload]

    @property
    def shown_defects(self) -> tuple[str, ...]:
        """The defects that a workload showed, under controls that passed."""
        shown = [
            found.batch.defect
            for found in self.batches
            if found.batch.role == WORKLOAD
            and not found.spoiled
            and found.experiments is not None
            and found.experiments.n_failures
        ]
        return tuple(dict.fromkeys(shown))

    def count_for_history(self, workload: str) -> dict[str, Counts]:
        """Return what a revision brings to its history, by schedule; nothing if it is undecided.

        One failure of the kind that is looked for counts under any schedule. Silence counts only
        if every schedule that decides ran, with controls that passed, and nothing failed
        otherwise. An exploration is one experiment.
        """
        counted = {}
        is_silent = True
        for assessed in self.of_workload(workload):
            if not assessed.decides:
                continue
            if assessed.experiments is not None and not assessed.spoiled:
                counted[assessed.batch.schedule] = assessed.experiments
            else:
                is_silent = False
        shows = any(counts.n_failures for counts in counted.values())
        return counted if shows or is_silent else {}

    def judge(
        self, workload: str, find_affected: Callable[[str], Collection[Counts]]
    ) -> JudgedRevision:
        """Judge the batches of a workload.

        `find_affected` returns for a schedule the counts of revisions that are surely affected.
        """
        measurements = [
            Measurement(
                record=self.record,
                batch=assessed.batch,
                counts=assessed.counts,
                experiments=assessed.experiments,
                decides=assessed.decides,
                judgement=_judge(self.record, assessed, find_affected(assessed.batch.schedule)),
            )
            for assessed in self.of_workload(workload)
        ]
        if not measurements:
            reason = self.record.not_run_reason or "this workload was not part of the run"
            judgement = Judgement(Verdict.NOT_RUN, reason=reason)
            measurements = [Measurement(record=self.record, judgement=judgement)]
        return JudgedRevision(
            record=self.record, workload=workload, measurements=tuple(measurements)
        )


def assess(record: Evidence) -> Assessment:
    """Return what a record alone says; controls are checked once for a defect and schedule."""
    kinds = dict.fromkeys((batch.defect, batch.schedule) for batch in record.batches)
    checks = {kind: check_controls(record, *kind) for kind in kinds}
    batches = []
    for batch in record.batches:
        controls = checks[batch.defect, batch.schedule]
        shows = count_shown(batch) > 0
        spoiled = controls.why_failures_are_ignored if shows else controls.why_silence_is_ignored
        batches.append(
            BatchAssessment(
                batch=batch,
                counts=count_batch(batch),
                experiments=count_experiments(batch),
                controls=controls,
                spoiled=spoiled if batch.role == WORKLOAD else None,
            )
        )
    return Assessment(record=record, batches=tuple(batches))


def _judge(record: Evidence, assessed: BatchAssessment, affected: Collection[Counts]) -> Judgement:
    negative = assessed.controls.negative if assessed.batch.role == WORKLOAD else None
    judgement = judge_batch(record.target, assessed.batch, affected, negative)
    if assessed.spoiled and judgement.verdict.is_decided:
        return Judgement(Verdict.INCONCLUSIVE, reason=assessed.spoiled)
    return judgement
