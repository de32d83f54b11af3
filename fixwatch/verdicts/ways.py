"""Which ways of allocating are hit, and which work-arounds hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fixwatch.statistics.binomial import Counts, upper_bound
from fixwatch.verdicts.controls import NEGATIVE_CONTROL, WORKLOAD
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR

# In a library developer's words; a workload that is not listed is shown by its name alone.
DESCRIPTIONS = {
    "local-array": "cuda.local.array in a device function of another module",
    "shared-array": "cuda.shared.array in a device function of another module",
    "registry-local": "a buffer registry whose allocators call cuda.local.array",
    "registry-shared": "a buffer registry over a shared array that a helper makes",
    "registry-mixed": "a buffer registry with shared, persistent and local buffers",
    "chunked-local": "chunked transfers, with a helper that calls cuda.local.array",
    "same-module": "keep the device function in the kernel's own module",
    "helper-without-cuda": "device functions of other modules use nothing of cuda",
    "one-thread": "one active thread",
    "registry-persistent": "the kernel makes the arrays, other modules only slice them",
    "chunked-plain": "no device function beside the kernel",
}


@dataclass(frozen=True, kw_only=True)
class Way:
    """A way of allocating on an upstream.

    Attributes
    ----------
    state
        Of its series.
    n_failures, n_trials
        On the revisions where the race was observed in some workload.
    bound
        The rate that it has at most there (exact, one-sided, 95 %); None where it fails.
    """

    upstream: str
    source: str
    workload: str
    description: str
    state: str
    n_revisions: int
    n_failures: int
    n_trials: int
    bound: float | None


def find_ways(series: Sequence[Series], role: str = WORKLOAD) -> list[Way]:
    """Return how each way fares on the revisions where some workload was hit."""
    hit = {
        (each.key.upstream, each.key.source, record.commit)
        for each in series
        if each.role == WORKLOAD and each.key.target == SIMULATOR
        for record in each.revisions
        if any(m.judgement.verdict is Verdict.OBSERVED for m in each.measurements_of(record))
    }
    ways = []
    for each in series:
        if each.role != role or each.key.target != SIMULATOR:
            continue
        counted = [
            (measurement.evidence.commit, measurement.counts)
            for measurement in each.measurements
            if measurement.counts
            and measurement.decides
            and (each.key.upstream, each.key.source, measurement.evidence.commit) in hit
        ]
        n_failures = sum(counts.n_failures for _, counts in counted)
        n_trials = sum(counts.n_trials for _, counts in counted)
        holds = n_trials and not n_failures
        ways.append(
            Way(
                upstream=each.key.upstream,
                source=each.key.source,
                workload=each.key.workload,
                description=DESCRIPTIONS.get(each.key.workload, each.key.workload),
                state=each.state.state.value,
                n_revisions=len({commit for commit, _ in counted}),
                n_failures=n_failures,
                n_trials=n_trials,
                bound=upper_bound(Counts(0, n_trials)) if holds else None,
            )
        )
    return ways


def find_work_arounds(series: Sequence[Series]) -> list[Way]:
    """Return the negative controls: what can be done instead on an affected revision."""
    return [way for way in find_ways(series, NEGATIVE_CONTROL) if way.n_trials]
