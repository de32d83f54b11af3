"""Running a check: measure by asv what a plan asks for, read the evidence, compare, write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.asv_adapter.command import measure_commits, record_machine
from fixwatch.commands.check.comparison import Checked, Comparison, Recorded, compare
from fixwatch.commands.check.issue import describe_changes
from fixwatch.commands.check.planning import plan_look
from fixwatch.commands.check.recorded import load_known
from fixwatch.commands.check.summary import render_summary
from fixwatch.configuration import load_configuration
from fixwatch.durable_files import write_json_atomically, write_text_atomically
from fixwatch.errors import CouldNotMeasureError
from fixwatch.history.last_look import save_look
from fixwatch.history.order import RevisionOrder
from fixwatch.layout import CHECK_DIR, CONFIGURATIONS
from fixwatch.machine import Machine
from fixwatch.records.evidence import Evidence
from fixwatch.records.plans import LookedAtRevision, Plan
from fixwatch.statistics.binomial import pool_counts
from fixwatch.verdicts.assessment import combine_workloads
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.explorations import summarise_explorations
from fixwatch.verdicts.judgements import count_shown
from fixwatch.verdicts.series import Series, build_series

Announce = Callable[[str], None]


def run_check(
    machine: Machine, output_dir: Path, announce: Announce, configurations: Sequence[str]
) -> Comparison:
    """Measure the newest commit and release of each upstream, and compare.

    What is measured is kept among the results, under this machine's name, and what is there already
    is not measured again. Upstreams are named by the configurations of their commits.

    Raises
    ------
    CouldNotMeasureError
        If the package index or the repositories cannot be reached, or asv stops.
    """
    known = load_known(announce)
    plan = plan_look(machine.name, configurations, known, announce, max_new=0)
    log_path = output_dir / "asv.log"
    announce(f"asv prints into {log_path}")
    measure_plan(plan, machine, announce, log_path=log_path)
    return conclude(plan, known.recorded, announce, output_dir)


def measure_plan(
    plan: Plan,
    machine: Machine,
    announce: Announce,
    shard: int | None = None,
    log_path: Path | None = None,
) -> None:
    """Measure what a plan asks a shard for, history by history, on the machine that it names.

    asv prints into the log, if one is given.

    Raises
    ------
    CouldNotMeasureError
        If asv stops in one of the histories; the others are measured nevertheless.
    """
    own = [asked for asked in plan.asked if asked.shard in (None, shard)]
    if not own:
        return
    record_machine(replace(machine, name=plan.machine))
    failures = []
    for configuration in CONFIGURATIONS:
        folder = load_configuration(Path(configuration)).results_dir.name
        commits = [asked.commit for asked in own if asked.folder == folder]
        if not commits:
            continue
        announce(f"{configuration}: measuring {len(commits)} revisions")
        try:
            measure_commits(configuration, plan.machine, commits, log_path=log_path)
        except CouldNotMeasureError as error:
            failures.append(f"{configuration}: {error}")
    if failures:
        raise CouldNotMeasureError("; ".join(failures))


def conclude(
    plan: Plan, recorded: Sequence[Recorded], announce: Announce, output_dir: Path = CHECK_DIR
) -> Comparison:
    """Compare what was measured of a plan with what was recorded before, and leave the answer.

    The Markdown and the JSON go into the output folder; the moment, and what has changed, beside
    the results.
    """
    measured = find_measured(plan, load_known(announce).records)
    comparison = compare(recorded, judge_revisions(measured))
    write_json_atomically(output_dir / "check.json", asdict(comparison), indent=1)
    write_text_atomically(output_dir / "check.md", render_summary(comparison))
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    save_look(describe_changes(comparison, moment))
    return comparison


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
