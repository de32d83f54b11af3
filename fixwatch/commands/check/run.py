"""Running a check: measure by asv what a plan asks for, read the evidence, compare, write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.asv_adapter.command import measure_commits, record_machine
from fixwatch.asv_adapter.measuring import CommitMeasurer
from fixwatch.commands.check.comparison import Comparison, Recorded, compare
from fixwatch.commands.check.issue import describe_changes
from fixwatch.commands.check.judged import find_measured, judge_revisions
from fixwatch.commands.check.planning import plan_look
from fixwatch.commands.check.recorded import load_known
from fixwatch.commands.check.strays import find_strays
from fixwatch.commands.check.summary import render_summary
from fixwatch.commands.check.unfinished import begin_look, end_look
from fixwatch.configuration import load_configuration
from fixwatch.durable_files import write_json_atomically, write_text_atomically
from fixwatch.errors import CouldNotMeasureError
from fixwatch.history.last_look import save_look
from fixwatch.layout import CHECK_DIR, CONFIGURATION_OF
from fixwatch.machine import Machine
from fixwatch.records.plans import STRAY_TRIALS, Plan

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
    recorded = begin_look(known.recorded)
    measure_plan(plan, machine, announce, log_path=log_path)
    measure_strays(plan, announce, log_path=log_path)
    return conclude(plan, recorded, announce, output_dir)


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
    for folder, configuration in CONFIGURATION_OF.items():
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


def measure_strays(plan: Plan, announce: Announce, log_path: Path | None = None) -> None:
    """Let the batches of the newest revisions go on that failed, but too rarely for a change.

    Raises
    ------
    CouldNotMeasureError
        If asv stops.
    """
    tried = set()
    while plan.looked_at:
        measured = find_measured(plan, load_known(announce).records)
        strays = [one for one in find_strays(measured) if one.place not in tried]
        if not strays:
            return
        stray = strays[0]
        tried.add(stray.place)
        announce(f"{stray}; going on to {STRAY_TRIALS} trials")
        configuration = load_configuration(Path(CONFIGURATION_OF[stray.folder]))
        measurer = CommitMeasurer(
            configuration=str(configuration.path),
            project=configuration.project,
            machine=plan.machine,
            log_path=log_path,
        )
        measurer.extend(stray.record, stray.batch.workload, stray.batch.schedule, STRAY_TRIALS)


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
    end_look()
    return comparison
