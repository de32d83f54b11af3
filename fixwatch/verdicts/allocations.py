"""Which ways of allocating are hit, and which work-arounds hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixwatch.statistics.binomial import Counts, pool_counts, upper_bound
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR
from mwe.defects import WORKLOADS


@dataclass(frozen=True, kw_only=True)
class AllocationRow:
    """How one way of allocating, that of a workload, fares on an upstream."""

    upstream: str
    source: str
    workload: str
    description: str
    state: str  # of its series
    n_revisions: int  # where the race was observed in some workload
    counts: Counts  # on these
    bound: float | None  # of the rate there (exact, one-sided, 95 %); None where it fails
    explored: Counts | None  # explorations that failed, of those that say something

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        return not self.counts.n_failures and not (self.explored and self.explored.n_failures)


def list_allocations(all_series: Sequence[Series], role: str = WORKLOAD) -> list[AllocationRow]:
    """Return how each way of allocating fares on the revisions where some workload failed.

    Those that were not measured there are left out. With the role of negative controls these are
    the work-arounds: what can be done instead on an affected revision.
    """
    affected = {
        (series.key.upstream, series.key.source, revision.record.commit)
        for series in all_series
        if series.role == WORKLOAD and series.key.target == SIMULATOR
        for revision in series.revisions
        if revision.verdict is Verdict.OBSERVED
    }
    rows = []
    for series in all_series:
        key = series.key
        counted = [
            (revision.record.commit, revision.counts)
            for revision in series.revisions
            if (key.upstream, key.source, revision.record.commit) in affected and revision.counts
        ]
        pooled = pool_counts(counts for _, counts in counted)
        commits = {commit for commit, _ in counted}
        if series.role != role or key.target != SIMULATOR or pooled is None:
            continue
        rows.append(
            AllocationRow(
                upstream=key.upstream,
                source=key.source,
                workload=key.workload,
                description=_describe(key.workload),
                state=series.state.state.value,
                n_revisions=len(commits),
                counts=pooled,
                bound=None if pooled.n_failures else upper_bound(pooled),
                explored=pool_counts(
                    found.experiments
                    for found in series.measurements
                    if found.record.commit in commits
                    and found.batch
                    and found.batch.is_exploration
                    and found.experiments
                ),
            )
        )
    return rows


def _describe(workload: str) -> str:
    """Return what a workload does, in a library developer's words; its name if it is unknown."""
    return WORKLOADS[workload].summary if workload in WORKLOADS else workload
