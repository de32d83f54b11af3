"""Which ways of writing a kernel are hit by a defect, and which work-arounds hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixwatch.statistics.binomial import Counts, pool_counts, upper_bound
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.defects import list_defects
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR
from mwe.defects import WORKLOADS

# A control that does nothing is no way of writing a kernel.
_IDLE = "no-threads"


@dataclass(frozen=True, kw_only=True)
class AllocationRow:
    """How one way of writing a kernel, that of a workload, fares on an upstream."""

    defect: str
    upstream: str
    source: str
    workload: str
    description: str
    state: str  # of its series
    n_revisions: int  # where the defect was observed in some workload
    counts: Counts | None  # on these; None where explorations are all there is
    bound: float | None  # of the rate there (exact, one-sided, 95 %); None without one
    explored: Counts | None  # explorations that failed, of those that say something

    @property
    def holds(self) -> bool:
        """Whether nothing failed."""
        found = pool_counts(counts for counts in (self.counts, self.explored) if counts)
        return not (found and found.n_failures)


def list_allocations(all_series: Sequence[Series], role: str = WORKLOAD) -> list[AllocationRow]:
    """Return how each way fares on the revisions where some workload of its defect failed.

    Those that were not measured there are left out, and those without upstream's code. With the
    role of negative controls these are the work-arounds: what can be done instead on an affected
    revision.
    """
    affected = {
        (series.defect, series.key.upstream, series.key.source, revision.record.commit)
        for series in all_series
        if series.role == WORKLOAD and series.key.target == SIMULATOR
        for revision in series.revisions
        if revision.verdict is Verdict.OBSERVED
    }
    rows = []
    for series in all_series:
        key = series.key
        place = series.defect, key.upstream, key.source
        counted = [
            revision
            for revision in series.revisions
            if (*place, revision.record.commit) in affected
            and (revision.counts or revision.explorations)
        ]
        commits = {revision.record.commit for revision in counted}
        if not _is_way(series, role) or not commits:
            continue
        pooled = pool_counts(revision.counts for revision in counted if revision.counts)
        rows.append(
            AllocationRow(
                defect=series.defect,
                upstream=key.upstream,
                source=key.source,
                workload=key.workload,
                description=_describe(key.workload),
                state=series.state.state.value,
                n_revisions=len(commits),
                counts=pooled,
                bound=upper_bound(pooled) if pooled and not pooled.n_failures else None,
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
    defects = list_defects(SIMULATOR, {row.defect for row in rows})
    return sorted(rows, key=lambda row: defects.index(row.defect))


def _is_way(series: Series, role: str) -> bool:
    """Whether a series is of a way of writing a kernel for upstream's simulator."""
    workload = series.key.workload
    known = WORKLOADS.get(workload)
    is_upstreams = known is None or known.needs_numba
    is_asked = series.role == role and series.key.target == SIMULATOR
    return is_asked and is_upstreams and workload != _IDLE


def _describe(workload: str) -> str:
    """Return what a workload does, in a library developer's words; its name if it is unknown."""
    return WORKLOADS[workload].summary if workload in WORKLOADS else workload
