"""Measuring a commit by asv, with more trials than the plan has where they pay."""

from __future__ import annotations

import os
from dataclasses import dataclass

from fixwatch.asv_adapter.command import measure_commits
from fixwatch.layout import STATE_DIR
from fixwatch.records.evidence import Evidence, restore_batch
from mwe.planned.more_trials import MORE_TRIALS_VARIABLE, MoreTrials

# Standard output is for the answer, and asv prints tables.
LOG_PATH = STATE_DIR / "pinpoint" / "asv.log"


@dataclass(frozen=True, kw_only=True)
class CommitMeasurer:
    """Runs asv on single commits; what it finds is kept among the results like any other.

    A commit that does not build does not stop asv; where asv itself stops, both methods raise
    `CouldNotMeasureError`.

    Attributes
    ----------
    configuration
        The path of asv's configuration.
    machine
        The name that asv knows this machine by.
    """

    configuration: str
    machine: str

    def measure(self, commit: str) -> None:
        """Run the plan on a commit."""
        measure_commits(self.configuration, self.machine, [commit], log_path=LOG_PATH)

    def extend(self, record: Evidence, workload: str, schedule: str, n_trials: int) -> None:
        """Let a batch of a record go on until it has so many trials; the others stay."""
        more = MoreTrials(
            commit=record.commit,
            measurement_version=record.measurement_version,
            packages=record.packages,
            workload=workload,
            schedule=schedule,
            n_trials=n_trials,
            recorded=[restore_batch(record, batch) for batch in record.batches if batch.printed],
        )
        path = (STATE_DIR / "pinpoint" / f"{record.commit}-{os.getpid()}.json").absolute()
        more.save(path)
        try:
            measure_commits(
                self.configuration,
                self.machine,
                [record.commit],
                log_path=LOG_PATH,
                environment={MORE_TRIALS_VARIABLE: str(path)},
            )
        finally:
            path.unlink(missing_ok=True)
