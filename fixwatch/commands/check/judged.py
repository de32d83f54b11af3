"""What of the results a look has measured, judged by that alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fixwatch.commands.check.comparison import Checked
from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import Evidence
from fixwatch.records.plans import LookedAtRevision, Plan
from fixwatch.statistics.binomial import pool_counts
from fixwatch.verdicts.assessment import combine_workloads
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.explorations import summarise_explorations
from fixwatch.verdicts.judgements import count_shown
from fixwatch.verdicts.series import Series, build_series


def find_measured(
    plan: Plan, records: Iterable[Evidence]
) -> list[tuple[LookedAtRevision, Evidence]]:
    """Return the revisions that a plan looks at with what its machine measured of them."""
    found: dict[tuple[str, str], Evidence] = {}
    for record in records:
        is_here = (record.machine, record.python) == (plan.machine, plan.python)
        if is_here and record.measurement_version in (None, plan.measurement_version):
            place = (record.upstream, record.commit)
            found[place] = max(found.get(place, record), record, key=lambda one: one.rank)
    return [
        (looked_at, found[looked_at.upstream, looked_at.commit])
        for looked_at in plan.looked_at
        if (looked_at.upstream, looked_at.commit) in found
    ]


def judge_revisions(measured: Sequence[tuple[LookedAtRevision, Evidence]]) -> list[Checked]:
    """Judge what was measured by this run alone: the rates too are those of its control."""
    all_series = build_series([record for _, record in measured], RevisionOrder())
    return [
        _judge_one(wanted, record, defect, all_series)
        for wanted, record in measured
        for defect in wanted.defects
    ]


def _judge_one(
    wanted: LookedAtRevision, record: Evidence, defect: str, all_series: Iterable[Series]
) -> Checked:
    judged = [
        revision
        for series in all_series
        if (series.role, series.defect) == (WORKLOAD, defect)
        and (revision := series.find(record)) is not None
    ]
    verdict = combine_workloads(judged)
    counts = pool_counts(revision.counts for revision in judged if revision.counts)
    reasons = [
        found.judgement.reason
        for revision in judged
        for found in revision.deciding or revision.measurements
        if not found.judgement.verdict.is_decided
    ]
    explorations = [batch for revision in judged for batch in revision.explorations]
    return Checked(
        upstream=wanted.upstream,
        defect=defect,
        kind=wanted.kind,
        name=record.name,
        commit=record.commit,
        date=record.date,
        verdict=verdict,
        n_failures=counts.n_failures if counts else 0,
        n_trials=counts.n_trials if counts else 0,
        explored=summarise_explorations(explorations),
        n_failed_explorations=sum(count_shown(batch) > 0 for batch in explorations),
        reason=None if verdict.is_decided else next(filter(None, reasons), record.not_run_reason),
    )
