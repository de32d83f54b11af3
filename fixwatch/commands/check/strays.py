"""Batches that failed too rarely for a change go on before a check speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixwatch.commands.check.comparison import is_stray
from fixwatch.commands.check.judged import judge_revisions
from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.records.plans import NEWEST_KINDS, STRAY_TRIALS, LookedAtRevision
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import count_shown


@dataclass(frozen=True)
class Stray:
    """A batch of a newest revision in which fewer failed than a change needs."""

    folder: str  # of the revision's results
    record: Evidence
    batch: BatchEvidence

    @property
    def place(self) -> tuple[str, str, str, str]:
        """What tells it from others, however far it went on."""
        return self.folder, self.record.commit, self.batch.workload, self.batch.schedule

    def __str__(self) -> str:
        """Return what was seen, in words."""
        printed = self.batch.printed
        n_trials = printed.trials if printed else 0
        return (
            f"{self.record.upstream} {self.record.name}: {self.batch.workload} under "
            f"{self.batch.schedule} failed in {count_shown(self.batch)} of {n_trials} trials, "
            "too few for a change"
        )


def find_strays(measured: Sequence[tuple[LookedAtRevision, Evidence]]) -> list[Stray]:
    """Return the strays among what a look has measured that have not gone on yet."""
    looked_at = {
        (wanted.kind, wanted.upstream, wanted.commit): (wanted.folder, record)
        for wanted, record in measured
        if wanted.kind in NEWEST_KINDS
    }
    return [
        Stray(folder, record, batch)
        for checked in judge_revisions(measured)
        if checked.kind in NEWEST_KINDS and is_stray(checked)
        for folder, record in [looked_at[checked.kind, checked.upstream, checked.commit]]
        for batch in record.of_defect(checked.defect).batches
        if batch.role == WORKLOAD and batch.decides and not batch.is_exploration
        if batch.printed and count_shown(batch) and batch.printed.trials < STRAY_TRIALS
    ]
