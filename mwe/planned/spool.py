"""Finished batches of an installed revision, kept on disk until its record is written."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mwe.planned.client import BatchResult, digest_harness
from mwe.planned.plan import MEASUREMENT_VERSION, PlannedBatch, decides
from mwe.targets import Target, find_python

PLAN_NAME = "plan.json"


class Spool:
    """A folder with a file for each batch, written whole or not at all.

    A run that is killed loses the batches that were running and no others: the next run of the
    revision takes the rest from here. Each file names the identity of what was measured, so that
    a batch of another meaning, harness, interpreter or environment is not taken. `plan.json` says
    which batches there are to be, so that a missing one is missed.

    Parameters
    ----------
    folder
        For this revision and environment alone.
    packages, build_packages
        What the environment holds, and what the revision was built with.
    python
        Its interpreter, as batches name it; the running one by default.
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
        entries = [
            {
                **asdict(batch),
                "decides": decides(batch.schedule, Target(batch.target)),
                "file": _file_name(batch),
            }
            for batch in planned
        ]
        self._write(PLAN_NAME, {"planned": entries})

    def load(self, planned: PlannedBatch) -> dict[str, Any] | None:
        """Return a complete batch of the same identity, however many trials it has."""
        try:
            kept = json.loads((self.folder / _file_name(planned)).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        batch: dict[str, Any] | None = kept.get("batch")
        is_whole = batch is not None and batch["status"] == "complete"
        return batch if is_whole and kept["identity"] == self.identity else None

    def load_finished(self, planned: PlannedBatch) -> dict[str, Any] | None:
        """Return a batch that `load` finds if it has all the trials that are planned."""
        batch = self.load(planned)
        return batch if batch is not None and batch["trials"] >= planned.n_trials else None

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


def _file_name(batch: PlannedBatch) -> str:
    return f"{batch.workload}--{batch.schedule}.json"
