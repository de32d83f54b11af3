"""A judge's run: the checkout as it stands, built, installed, measured, judged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.commands.judge.batches import (
    TARGET,
    InstalledContender,
    enter,
    plan_judge,
    run_batches,
)
from fixwatch.commands.judge.checkouts import find_checkout
from fixwatch.commands.judge.installs import JUDGE_DIR, install_snapshot
from fixwatch.commands.judge.launch_cost import CostOfLaunch, compare_launches, say_unknown
from fixwatch.commands.judge.snapshots import Snapshot, SnapshotRepository
from fixwatch.errors import CouldNotMeasureError, FixwatchError
from fixwatch.installing.as_of import create_environment
from fixwatch.layout import RELEASES_CONFIGURATION
from fixwatch.machine import describe_machine, describe_python
from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.run_lock import hold_lock
from fixwatch.verdicts.working_tree import JudgedTree, judge
from mwe.planned.plan import MEASUREMENT_VERSION

JUDGED, BASE = "judged", "base"


@dataclass(frozen=True, kw_only=True)
class JudgeRun:
    """What a run found; the last three are None where there was no base to measure beside."""

    judged: Snapshot
    result: JudgedTree
    base: Snapshot | None = None
    base_result: JudgedTree | None = None
    launch_cost: CostOfLaunch | None = None


def run_judge(
    path: Path,
    against: str | None,
    announce: Callable[[str], None],
    *,
    workloads: Collection[str] = (),
    defects: Collection[str] = (),
    is_thorough: bool = False,
) -> JudgeRun:
    """Measure what stands in a checkout, beside a revision of its repository if one is named.

    The path may be a folder in the checkout; nothing is written there. The revision is a tag,
    branch, commit or release number. Workloads and defects limit the plan, see `plan_judge`;
    explorations have no limit where the judge `is_thorough`.

    Raises
    ------
    FixwatchError
        If there is nothing to judge at the path, or no such revision, workload or defect.
    CouldNotMeasureError
        If the package index cannot be reached, or the disk is full.
    """
    planned = plan_judge(workloads, defects, is_thorough=is_thorough)
    if not Path(RELEASES_CONFIGURATION).is_file():
        raise FixwatchError(
            f"{RELEASES_CONFIGURATION} is not here; run the command in Fixwatch's own checkout"
        )
    checkout = find_checkout(path)
    against_commit = checkout.resolve(against) if against is not None else None
    hold_lock(JUDGE_DIR, announce)
    try:
        repository = SnapshotRepository(checkout, JUDGE_DIR / "repository", announce)
        snapshots = {JUDGED: repository.take_working_tree()}
        if against_commit is not None:
            snapshots[BASE] = repository.take_commit(against_commit)
        announce(f"judging {checkout.upstream} {snapshots[JUDGED].label}")
        contenders = []
        for name, snapshot in snapshots.items():
            environment = create_environment(JUDGE_DIR / "envs" / name, Path(sys.executable))
            record = install_snapshot(snapshot, repository, environment, announce)
            contenders.append(enter(name, snapshot, environment.python, record))
        able = [tree for tree in contenders if tree.record.not_run_reason is None]
        # Without the judged one the base has nothing to be beside.
        is_able = contenders[0] in able
        batches = run_batches(able, planned, announce) if is_able else {}
        cost = compare_launches(able[0], able[1], announce) if is_able and len(able) == 2 else None
    except OSError as error:
        raise CouldNotMeasureError(
            f"the machine does not let it measure: {error}; mend that and run the command again, "
            "finished batches are kept"
        ) from error
    judged_defects = list(dict.fromkeys(batch.identity["defect"] for batch in planned))
    run = _judge(contenders, batches, cost, judged_defects)
    for contender in able:
        contender.spool.drop()
    return run


def _judge(
    contenders: Sequence[InstalledContender],
    batches: dict[str, tuple[BatchEvidence, ...]],
    cost: CostOfLaunch | None,
    defects: Sequence[str],
) -> JudgeRun:
    judged, *others = contenders
    record = _describe(judged, batches.get(JUDGED, ()))
    if not others:
        return JudgeRun(judged=judged.snapshot, result=judge(record, defects=defects))
    (base,) = others
    base_record = _describe(base, batches.get(BASE, ()))
    if base_record.not_run_reason is None and not base_record.batches:
        reason = "not tried, because the judged tree could not be installed"
        base_record = replace(base_record, not_run_stage="batch", not_run_reason=reason)
    return JudgeRun(
        judged=judged.snapshot,
        result=judge(record, base_record, defects),
        base=base.snapshot,
        base_result=judge(base_record, base_record, defects),
        launch_cost=cost or say_unknown("one of the two could not be installed"),
    )


def _describe(contender: InstalledContender, batches: tuple[BatchEvidence, ...]) -> Evidence:
    """Return the record of what was measured; it goes into no results folder."""
    return Evidence(
        **asdict(contender.record),
        source="commits",
        machine=describe_machine().name,
        environment=contender.name,
        python=describe_python(),
        target=TARGET.value,
        measured_at=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        measurement_version=MEASUREMENT_VERSION,
        batches=batches,
    )
