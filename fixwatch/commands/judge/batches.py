"""Running the batch plan on a judged tree, alone or beside a base.

A judge that is killed finds its finished batches in the spool. Once the answer is given the spool
is dropped, so that whoever asks again gets a new measurement.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from fixwatch.commands.judge.installs import JUDGE_DIR
from fixwatch.commands.judge.snapshots import Snapshot
from fixwatch.errors import FixwatchError
from fixwatch.records.batch_outcomes import describe_batch
from fixwatch.records.evidence import BatchEvidence
from fixwatch.records.install_record import InstallRecord
from fixwatch.run_lock import inherited_descriptors
from mwe.defects import DEFECTS
from mwe.planned.client import BatchServer
from mwe.planned.plan import PlannedBatch, plan_batches
from mwe.planned.runner import Contender, run_planned_batches
from mwe.planned.spool import Spool
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Asker

SPOOL_DIR = JUDGE_DIR / "spool"
ANNOUNCE_PERIOD_S = 5.0
# Where no batch ends, as in a space that takes minutes.
WAITING_PERIOD_S = 30.0
TARGET = Target.SIMULATOR


@dataclass(frozen=True)
class InstalledContender(Contender):
    """A contender and what was installed for it."""

    snapshot: Snapshot
    record: InstallRecord


def enter(name: str, snapshot: Snapshot, python: Path, record: InstallRecord) -> InstalledContender:
    """Let what is installed take part in a run, by this name."""
    spool = Spool(SPOOL_DIR / snapshot.commit / name, record.packages, record.build_packages)
    start_server = functools.partial(_start_server, python)
    return InstalledContender(name, snapshot.commit, spool, start_server, snapshot, record)


def _start_server(python: Path) -> BatchServer:
    """Start a process that measures, undisturbed by what the user's shell has set."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("NUMBA_", "PYTHON")) and name != "VIRTUAL_ENV"
    }
    return BatchServer(python, environment=environment, pass_fds=inherited_descriptors())


def plan_judge(
    names: Collection[str] = (), defects: Collection[str] = (), *, is_thorough: bool = False
) -> list[PlannedBatch]:
    """Return the batches of a judge, of the workloads, controls and defects that are named.

    Without names all are run; of a defect that has one of the workloads, all of a role of which
    none is named. Its positive controls and its harness control are always part of it. Where it
    `is_thorough`, explorations run whole spaces however long they take.

    Raises
    ------
    FixwatchError
        If there is no defect of such a name, or no workload of these defects.
    """
    in_simulator = {
        defect.name: defect
        for defect in DEFECTS.values()
        if any(TARGET in workload.targets for workload in defect.workloads)
    }
    _refuse_unknown("defect", defects, in_simulator)
    sought = [defect for name, defect in in_simulator.items() if not defects or name in defects]
    known = [
        workload.name
        for defect in sought
        for workload in defect.workloads
        if TARGET in workload.targets
    ]
    _refuse_unknown("workload", names, known)
    chosen = set()
    for defect in sought:
        own = {workload.name: workload.role for workload in defect.workloads}
        if names and not own.keys() & set(names):
            continue
        chosen.add(defect.harness_control)
        for role in Role:
            having = {name for name in own if own[name] is role}
            chosen |= (having & set(names)) or having
    asker = Asker.THOROUGH_JUDGE if is_thorough else Asker.JUDGE
    return plan_batches(TARGET, chosen, asker=asker)


def _refuse_unknown(what: str, names: Collection[str], known: Collection[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise FixwatchError(
            f"no {what} {unknown[0]!r} of the simulator; choose from {', '.join(known)}"
        )


def run_batches(
    contenders: Sequence[InstalledContender],
    planned: Sequence[PlannedBatch],
    announce: Callable[[str], None],
) -> dict[str, tuple[BatchEvidence, ...]]:
    """Run the plan on each contender; return what came of it by the contender's name."""
    n_batches = len(contenders) * len(planned)
    n_kept = sum(
        contender.spool.load_finished(batch) is not None
        for contender in contenders
        for batch in planned
    )
    if n_kept:
        announce(f"{n_kept} batches of {n_batches} are kept from an interrupted run")
    found: dict[str, dict[PlannedBatch, BatchEvidence]] = {
        contender.name: {} for contender in contenders
    }
    announced_s = time.monotonic()
    n_finished = 0

    def announce_waiting() -> None:
        nonlocal announced_s
        if time.monotonic() - announced_s >= WAITING_PERIOD_S:
            announced_s = time.monotonic()
            announce(f"{n_finished} of {n_batches} batches, going on")

    results = run_planned_batches(contenders, planned, check=announce_waiting)
    for contender, batch, result in results:
        n_finished += 1
        found[contender.name][batch] = describe_batch(
            batch.identity, contender.record.packages, **vars(result)
        )
        if time.monotonic() - announced_s >= ANNOUNCE_PERIOD_S:
            announced_s = time.monotonic()
            announce(f"{n_finished} of {n_batches} batches")
    return {name: tuple(own[batch] for batch in planned) for name, own in found.items()}
