"""Running the batch plan on one revision, or on two side by side.

A finished batch is kept at once: a judge that is killed loses the batches that were running and
no others. Once all are there and the answer is given, they are dropped, so that whoever asks again
gets a new measurement.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fixwatch.asv_adapter.results import find_foreign_package
from fixwatch.commands.judge.installs import JUDGE_DIR, Installed
from fixwatch.durable_files import write_json_atomically
from fixwatch.errors import FixwatchError
from fixwatch.layout import MEASUREMENT_VERSION_PATH
from fixwatch.records.evidence import BatchEvidence, parse_printed
from fixwatch.records.install_record import BATCH
from fixwatch.run_lock import inherited_descriptors
from fixwatch.verdicts.controls import (
    NEGATIVE_CONTROL,
    POSITIVE_CONTROL,
    SINGLE_THREADED_CONTROL,
    WORKLOAD,
)
from mwe.planned.client import BatchServer, digest_harness
from mwe.planned.job_queue import Job, never_finished, run_jobs
from mwe.planned.plan import decides, find_planned_trials
from mwe.schedules import SCHEDULES
from mwe.targets import Target
from mwe.workloads import WORKLOADS

SPOOL_DIR = JUDGE_DIR / "spool"
BATCH_TIMEOUT_S = 120.0
ANNOUNCE_PERIOD_S = 5.0
TARGET = Target.SIMULATOR


@dataclass(frozen=True, kw_only=True)
class PlannedBatch:
    """A batch that is to be run."""

    workload: str
    role: str
    schedule: str
    n_trials: int


@dataclass(frozen=True)
class Contender:
    """A revision that is installed, and the name that it goes by in this run."""

    name: str
    installed: Installed

    def start_server(self) -> BatchServer:
        """Start a process that measures it, undisturbed by what the user's shell has set."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("NUMBA_", "PYTHON")) and name != "VIRTUAL_ENV"
        }
        return BatchServer(
            self.installed.python, environment=environment, pass_fds=inherited_descriptors()
        )


def plan_batches(names: Collection[str] = ()) -> list[PlannedBatch]:
    """Return the batches of a measurement.

    Parameters
    ----------
    names
        Of workloads, all if there are none among them; of negative controls likewise. The
        positive control and the single-threaded one are always part of it.

    Raises
    ------
    FixwatchError
        If there is no workload of such a name.
    """
    runnable = {name: each for name, each in WORKLOADS.items() if TARGET in each.targets}
    unknown = set(names) - runnable.keys()
    if unknown:
        raise FixwatchError(
            f"no workload {sorted(unknown)[0]!r} of the simulator; choose from "
            f"{', '.join(runnable)}"
        )
    chosen = {SINGLE_THREADED_CONTROL}
    for role in (WORKLOAD, NEGATIVE_CONTROL, POSITIVE_CONTROL):
        own = {name for name, each in runnable.items() if each.role.value == role}
        chosen |= (own & set(names)) or own
    return [
        PlannedBatch(workload=name, role=workload.role.value, schedule=schedule, n_trials=n_trials)
        for name, workload in WORKLOADS.items()
        for schedule in SCHEDULES
        if name in chosen
        and (n_trials := find_planned_trials(workload, schedule, TARGET)) is not None
    ]


def describe_request(contender: Contender, planned: PlannedBatch, seed: str = "") -> dict[str, Any]:
    """Return the request of a batch; other contents and batches draw other decisions."""
    identity = f"{contender.installed.snapshot.commit}/{planned.workload}/{planned.schedule}{seed}"
    return {
        "workload": planned.workload,
        "schedule": planned.schedule,
        "n_trials": planned.n_trials,
        "seed": zlib.crc32(identity.encode()),
        "target": TARGET.value,
    }


def read_measurement_version() -> str:
    """Return what counts mean today.

    Raises
    ------
    FixwatchError
        If this is not the folder in which commands are run.
    """
    try:
        return MEASUREMENT_VERSION_PATH.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise FixwatchError(
            f"{MEASUREMENT_VERSION_PATH} is not here; run the command in Fixwatch's own checkout"
        ) from error


class Spool:
    """The finished batches of a contender."""

    def __init__(self, contender: Contender) -> None:
        installed = contender.installed
        self.folder = SPOOL_DIR / installed.snapshot.commit / contender.name
        self._identity = {
            "measurement_version": read_measurement_version(),
            "harness_sha256": digest_harness(),
            "python": sys.version,
            "packages": installed.record.packages,
            "build_packages": installed.record.build_packages,
        }

    def load(self, planned: PlannedBatch) -> dict[str, Any] | None:
        """Return a kept batch if it was measured with the same packages, harness and plan."""
        try:
            kept = json.loads(self._path(planned).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        expected = {"identity": self._identity, "planned": asdict(planned)}
        is_same = isinstance(kept, dict) and {**kept, **expected} == kept
        return {"batch": kept["batch"]} if is_same else None

    def save(self, planned: PlannedBatch, batch: Mapping[str, Any]) -> None:
        """Keep a batch."""
        content = {"identity": self._identity, "planned": asdict(planned), "batch": batch}
        write_json_atomically(self._path(planned), content)

    def drop(self) -> None:
        """Forget the batches."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, planned: PlannedBatch) -> Path:
        return self.folder / f"{planned.workload}--{planned.schedule}.json"


def run_batches(
    contenders: Sequence[Contender],
    planned: Sequence[PlannedBatch],
    announce: Callable[[str], None],
    timeout_s: float = BATCH_TIMEOUT_S,
) -> dict[str, tuple[BatchEvidence, ...]]:
    """Run the plan on each contender; return what came of it by the contender's name.

    Two contenders take turns batch by batch, and in going first, so that what the machine does
    meanwhile meets both alike.
    """
    spools = {each.name: Spool(each) for each in contenders}
    jobs = []
    for number, batch in enumerate(planned):
        turn = contenders if number % 2 == 0 else tuple(reversed(contenders))
        jobs += [(contender, batch) for contender in turn]
    outcomes: dict[tuple[str, PlannedBatch], Mapping[str, Any]] = {}
    for contender, batch in jobs:
        kept = spools[contender.name].load(batch)
        if kept is not None:
            outcomes[contender.name, batch] = kept
    if outcomes:
        announce(f"{len(outcomes)} batches of {len(jobs)} are kept from an interrupted run")
    waiting = [(each, batch) for each, batch in jobs if (each.name, batch) not in outcomes]
    announced_s = time.monotonic()
    by_name = {each.name: each for each in contenders}
    queued = [
        Job((contender, batch), contender.name, describe_request(contender, batch), timeout_s)
        for contender, batch in waiting
    ]
    for job, outcome in run_jobs(
        queued, lambda name: by_name[name].start_server(), is_unfinished=_is_unfinished
    ):
        contender, batch = job.key
        if "batch" in outcome:
            spools[contender.name].save(batch, outcome["batch"])
        outcomes[contender.name, batch] = outcome
        if time.monotonic() - announced_s >= ANNOUNCE_PERIOD_S:
            announced_s = time.monotonic()
            announce(f"{len(outcomes)} of {len(jobs)} batches")
    return {
        each.name: tuple(
            _describe(batch, outcomes[each.name, batch], each.installed) for batch in planned
        )
        for each in contenders
    }


def _is_unfinished(outcome: Mapping[str, Any]) -> bool:
    if "batch" in outcome:
        return bool(outcome["batch"]["status"] != "complete")
    return never_finished(outcome)


def _describe(
    planned: PlannedBatch, outcome: Mapping[str, Any], installed: Installed
) -> BatchEvidence:
    batch, stage, reason = outcome.get("batch"), outcome.get("stage"), outcome.get("reason")
    if batch is not None:
        reason = find_foreign_package(batch["packages"], installed.record.packages)
        stage = BATCH if reason else None
    return BatchEvidence(
        workload=planned.workload,
        role=planned.role,
        schedule=planned.schedule,
        decides=decides(planned.schedule, TARGET),
        printed=None if batch is None or reason else parse_printed(batch),
        stage=stage,
        reason=reason,
    )
