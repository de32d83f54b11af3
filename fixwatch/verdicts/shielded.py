"""What was measured of releases with the shield in their simulator.

It says nothing of the releases as they are, see `mwe/shield/cudasim_shield.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from fixwatch.records.evidence import SHIELD, BatchEvidence, Evidence
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.upstream_texts import parse_moment
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.explorations import count_failures, find_printed, is_exhausted
from fixwatch.verdicts.judgements import Verdict


@dataclass(frozen=True)
class ShieldedDefect:
    """What a defect's workloads show with the shield, in one release or over several."""

    batches: tuple[BatchEvidence, ...]  # under the schedules that decide, and explorations

    @cached_property
    def explorations(self) -> list[BatchEvidence]:
        """Those that have a trial."""
        return [batch for batch in self.batches if batch.is_exploration and find_printed(batch)]

    @property
    def n_whole(self) -> int:
        """Explorations that ran their whole space."""
        return sum(map(is_exhausted, self.explorations))

    @property
    def counts(self) -> Counts | None:
        """Trials that failed in any way, or were refused, under the other schedules."""
        return pool_counts(
            Counts(printed.failures + printed.refusals, printed.trials)
            for batch in self.batches
            if not batch.is_exploration and (printed := find_printed(batch))
        )

    @property
    def verdict(self) -> Verdict:
        """Whether the shield ends the defect: one failure is enough to say that it does not."""
        failed = self.counts is not None and self.counts.n_failures > 0
        if failed or any(map(count_failures, self.explorations)):
            return Verdict.OBSERVED
        if not any(map(find_printed, self.batches)):
            return Verdict.NOT_RUN
        # A batch that was not run, or cut off, takes the silence from the others.
        is_silent = all(map(_is_whole, self.batches))
        return Verdict.NOT_OBSERVED if is_silent else Verdict.INCONCLUSIVE


def _is_whole(batch: BatchEvidence) -> bool:
    """Whether a batch ran to its end: all that was planned, of an exploration the whole space."""
    printed = find_printed(batch)
    if printed is None or printed.status != "complete":
        return False
    return is_exhausted(batch) or not batch.is_exploration


@dataclass(frozen=True)
class ShieldedReleases:
    """The releases of an upstream that were measured with the shield."""

    records: tuple[Evidence, ...]
    not_run: tuple[Evidence, ...] = ()  # whose simulator does not work, with the shield or without

    def find(self, defect: str) -> ShieldedDefect:
        """Return what they show of a defect together."""
        return ShieldedDefect(
            tuple(
                batch
                for record in self.records
                for batch in record.of_defect(defect).batches
                if batch.role == WORKLOAD and (batch.decides or batch.is_exploration)
            )
        )


def find_shielded(records: Iterable[Evidence], upstream: str) -> ShieldedReleases:
    """Return what was measured of an upstream with the shield, among records of any kind.

    Of several versions of the shield the one counts that was measured last.
    """
    found = [record for record in records if record.is_shielded and record.upstream == upstream]
    newest = max(found, key=lambda record: parse_moment(record.measured_at), default=None)
    measured = [
        record
        for record in found
        if newest is not None and record.packages[SHIELD] == newest.packages[SHIELD]
    ]
    ran = tuple(
        record
        for record in measured
        if any(batch.printed for batch in record.batches if batch.role == WORKLOAD)
    )
    return ShieldedReleases(ran, tuple(record for record in measured if record not in ran))
