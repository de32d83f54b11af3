"""The command ``merge``: results of other machines taken into ``results/``."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from fixwatch.commands.check.comparison import Recorded
from fixwatch.commands.check.judged import find_measured
from fixwatch.commands.check.planning import keep_current, take_planned_releases
from fixwatch.commands.check.recorded import load_known
from fixwatch.commands.check.run import conclude
from fixwatch.commands.check.summary import render_summary
from fixwatch.commands.check.unfinished import begin_look
from fixwatch.commands.command_line import Subparsers, announce
from fixwatch.commands.merge.review import Reviewer
from fixwatch.commands.merge.unknown_revisions import drop_unknown
from fixwatch.configuration import load_configuration
from fixwatch.errors import CouldNotMeasureError, FixwatchError, RefusedResultsError
from fixwatch.history.listing import load_listing
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.order import load_order
from fixwatch.history.release_table import load_release_table
from fixwatch.layout import CONFIGURATIONS, RESULTS_DIR
from fixwatch.records.evidence import iter_evidence
from fixwatch.records.merge import merge_shards
from fixwatch.records.plans import Plan, load_plan
from fixwatch.records.shards import BatchIdentity, Checkout, Refused, Shard
from mwe.planned.plan import MEASUREMENT_VERSION, plan_batches
from mwe.targets import Target
from mwe.workloads.workload import Asker


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser("merge", help="take the results of shards into results/")
    parser.add_argument(
        "folders", type=Path, nargs="*", metavar="DIR", help="laid out like results/"
    )
    parser.add_argument(
        "--plan",
        type=Path,
        help="take only what this file of plan asked for, and conclude the check that it is of",
    )
    parser.add_argument(
        "--accept",
        action="store_true",
        help="answer for verdicts that change without a second shard that says so, and without a "
        "plan for revisions that are in no history",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Take what validates, and name each file that does not."""
    plan = load_plan(options.plan) if options.plan else None
    if plan is None and not options.folders:
        raise FixwatchError("no folder to merge; give one, or --plan")
    # What cannot be read is named once, however often it is tried.
    report = functools.cache(announce)
    known = load_known(report)
    if plan is not None:
        take_planned_releases(plan)
        plan = keep_current(plan)
    checkout = Checkout(
        measurement_version=int(MEASUREMENT_VERSION),
        releases=frozenset((release.upstream, release.version) for release in load_release_table()),
        planned_batches=_list_planned_batches(),
        plan=plan,
    )
    recorded = begin_look(known.recorded) if plan and plan.looked_at else known.recorded
    folders = [load_configuration(Path(name)).results_dir for name in CONFIGURATIONS]
    reviewer = Reviewer(order=load_order(folders), plan=plan, accepts_changes=options.accept)
    is_looked_up = plan is not None or options.accept

    def review(shards: Sequence[Shard], present: Shard) -> list[Refused]:
        unknown = [] if is_looked_up else drop_unknown(shards, report)
        return [*unknown, *reviewer.review(shards, present)]

    n_written, refused = merge_shards(options.folders, RESULTS_DIR, checkout, announce, review)
    for name, reason in refused:
        announce(f"refused {name!r}: {reason}")
    for change in reviewer.changes:
        announce(f"changed: {change}")
    _list_merged_commits(report, has_new=n_written > 0)
    announce(f"{n_written} revisions written, {len(refused)} refused")
    if plan is not None:
        _conclude(plan, recorded, n_written, report)
    if refused:
        raise RefusedResultsError(
            f"refused files: {len(refused)}, see above; the rest is in {RESULTS_DIR}"
        )
    return 0


def _conclude(
    plan: Plan, recorded: Sequence[Recorded], n_written: int, report: Callable[[str], None]
) -> None:
    """Leave what the look found, and that it came to its end, unless there is nothing of it."""
    if plan.looked_at:
        records = load_known(report).records
        if plan.asked and not n_written and not find_measured(plan, records):
            raise CouldNotMeasureError("no shard has anything that the plan asked for")
        print(render_summary(conclude(plan, recorded, report)))


def _list_planned_batches() -> dict[BatchIdentity, int]:
    """Return the trials of each batch that there is in some plan."""
    planned: dict[BatchIdentity, int] = {}
    for target in Target:
        for batch in plan_batches(target, asker=Asker.THOROUGH_JUDGE):
            identity = (
                batch.identity["defect"],
                batch.workload,
                batch.role,
                batch.schedule,
                batch.identity["decides"],
            )
            # A device has the same batches as a compiler, with more trials.
            planned[identity] = max(batch.n_trials, planned.get(identity, 0))
    return planned


def _list_merged_commits(report: Callable[[str], None], *, has_new: bool) -> None:
    """Bring the lists of relevant commits up to date from git; a shard has no say in them.

    Where nothing is new, a list may lack a commit because a merge was killed.
    """
    for configuration in map(load_configuration, map(Path, CONFIGURATIONS)):
        if configuration.source == "releases":
            continue
        folder = configuration.results_dir
        commits = [record.commit for record in iter_evidence(folder, report)]
        if not commits:
            continue
        try:
            listing = load_listing(folder)
            if not has_new and listing and all(commit in listing for commit in commits):
                continue
            mirror = UpstreamMirror(
                configuration.repository, configuration.project, report, configuration.target
            )
            mirror.pull(report)
            mirror.refresh_listing(folder, configuration.branch, commits, report)
        except FixwatchError as error:
            report(f"{configuration.project}: the relevant commits cannot be listed ({error})")
