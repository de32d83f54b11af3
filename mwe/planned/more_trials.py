"""Trials beyond the plan, which `fixwatch pinpoint` asks the benchmarks for by a file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mwe.planned.client import BatchResult
from mwe.planned.plan import PlannedBatch
from mwe.planned.spool import Spool

# Names the file in the environment of the benchmarks.
MORE_TRIALS_VARIABLE = "ASV_FIXWATCH_MORE_TRIALS"


@dataclass(frozen=True, kw_only=True)
class MoreTrials:
    """One batch of a revision that is to have more trials, and all that its record has already.

    Attributes
    ----------
    commit
        The revision; another one gets no more than the plan.
    measurement_version, packages
        What the recorded trials mean, and what they ran with.
    workload, schedule, n_trials
        The batch, and how many trials it is to have in the end.
    recorded
        The batches of the record, as ``--json`` printed them.
    """

    commit: str
    measurement_version: str | None
    packages: Mapping[str, str]
    workload: str
    schedule: str
    n_trials: int
    recorded: Sequence[dict[str, Any]]

    @classmethod
    def load(cls, path: Path) -> MoreTrials:
        """Return what `save` left."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        """Write the file that the variable is to name."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    def apply(
        self, commit: str, planned: Sequence[PlannedBatch], spool: Spool
    ) -> list[PlannedBatch]:
        """Return the plan with the trials that are asked for, and give recorded ones to the spool.

        Only trials that mean the same and ran with the same packages go on; of two batches the
        one with more trials stays.
        """
        if commit != self.commit:
            return list(planned)
        identity = spool.identity
        is_same = (
            self.measurement_version == identity["measurement_version"]
            and self.packages == identity["packages"]
        )
        recorded = {
            (batch["workload"], batch["schedule"]): batch
            for batch in self.recorded
            if is_same and batch["status"] == "complete"
        }
        extended = []
        for batch in planned:
            kept = spool.load(batch)
            known = recorded.get((batch.workload, batch.schedule))
            if known and (kept is None or kept["trials"] < known["trials"]):
                spool.save(batch, BatchResult(known))
            is_asked_for = (batch.workload, batch.schedule) == (self.workload, self.schedule)
            n_trials = max(batch.n_trials, self.n_trials) if is_asked_for else batch.n_trials
            extended.append(replace(batch, n_trials=n_trials))
        return extended
