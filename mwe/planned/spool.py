"""Finished batches of an installed revision, kept on disk until its record is written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mwe.planned.client import BatchResult, digest_harness
from mwe.planned.plan import MEASUREMENT_VERSION, PlannedBatch
from mwe.targets import find_python

PLAN_NAME = "plan.json"


class Spool:
    """A folder with a file for each batch, written whole or not at all.

    A run that is killed loses the batches that were running and no others: the next run of the
    revision takes the rest from here. Each file names the identity of what was measured, so that
    a batch of another meaning, harness, interpreter or environment is not taken. `plan.json` says
    which batches there are to be, so that a missing one is missed.

    The folder is for this revision and environment alone. `packages` is what the environment holds,
    `build_packages` what the revision was built with, and `python` the environment's interpreter as
    batches name it, by default the running one.
    """

    def __init__(
        self,
        folder: Path,
        packages: Mapping[str, str],
        build_packages: Mapping[str, str],
        python: str | None = None,
    ) -> None:
        self.folder = folder
        self.identity: dict[str, Any] = {
            "measurement_version": MEASUREMENT_VERSION,
            "harness_sha256": digest_harness(),
            "python": python or find_python(),
            "packages": dict(packages),
            "build_packages": dict(build_packages),
        }

    def save_plan(self, planned: Sequence[PlannedBatch]) -> None:
        """Say which batches there are to be."""
        self._write(PLAN_NAME, {"planned": [asdict(batch) for batch in planned]})

    def load(self, planned: PlannedBatch) -> dict[str, Any] | None:
        """Return a complete batch of the same identity, however many trials it has."""
        batch = _read_result(self.folder, planned, self.identity).batch
        return batch if batch is not None and batch["status"] == "complete" else None

    def load_finished(self, planned: PlannedBatch) -> dict[str, Any] | None:
        """Return a batch that `load` finds if it has all the trials that are planned.

        An exploration is finished, too, with a failure that is looked for, with its whole space,
        or at its limit. One that gave up on schedules, because the machine was too busy to follow
        them, has a new try.
        """
        batch = self.load(planned)
        return batch if batch is not None and _is_finished(batch, planned) else None

    def save(self, planned: PlannedBatch, result: BatchResult) -> None:
        """Keep what became of a batch; only a complete one is loaded again."""
        known = {name: value for name, value in asdict(result).items() if value is not None}
        self._write(_file_name(planned), known)

    def drop(self) -> None:
        """Forget everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f"{name}.part{os.getpid()}"
        part.write_text(json.dumps({"identity": self.identity, **content}), encoding="utf-8")
        os.replace(part, self.folder / name)


@dataclass(frozen=True)
class SpooledPlan:
    """Which batches the last run of a revision was to have, and what became of them."""

    measurement_version: str
    # With an empty result where there is none of the plan's identity.
    batches: tuple[tuple[PlannedBatch, BatchResult], ...]


def read_spool(folder: Path) -> SpooledPlan | None:
    """Return what lies in a spool; None without a plan."""
    plan = _read_json(folder / PLAN_NAME)
    if not plan:
        return None
    identity = plan["identity"]
    planned = [PlannedBatch(**entry) for entry in plan["planned"]]
    return SpooledPlan(
        identity["measurement_version"],
        tuple((batch, _read_result(folder, batch, identity)) for batch in planned),
    )


def _is_finished(batch: Mapping[str, Any], planned: PlannedBatch) -> bool:
    if batch["trials"] >= planned.n_trials:
        return True
    if not planned.is_exploration:
        return False
    is_at_limit = planned.limit_s is not None and batch["duration_s"] >= planned.limit_s
    return bool(batch["signature_failures"] or batch["space"]["exhausted"] or is_at_limit)


def _read_result(folder: Path, planned: PlannedBatch, identity: Mapping[str, Any]) -> BatchResult:
    kept = _read_json(folder / _file_name(planned))
    return BatchResult(**kept) if kept.pop("identity", None) == identity else BatchResult()


def _read_json(path: Path) -> dict[str, Any]:
    """Return the content of a file; nothing if there is none, or none that is whole."""
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


def _file_name(batch: PlannedBatch) -> str:
    return f"{batch.workload}--{batch.schedule}.json"
