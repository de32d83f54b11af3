"""Measuring a commit by asv, with more trials than the plan has where they pay."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fixwatch.asv_adapter.command import measure_commits
from fixwatch.layout import SPOOL_DIR
from fixwatch.records.evidence import Evidence, restore_batch
from mwe.planned.client import BatchResult
from mwe.planned.plan import MEASUREMENT_VERSION, MORE_TRIALS_VARIABLE, PlannedBatch
from mwe.planned.spool import Spool


@dataclass(frozen=True, kw_only=True)
class CommitMeasurer:
    """Runs asv on single commits; what it finds is kept among the results like any other.

    A commit that does not build does not stop asv; where asv itself stops, both methods raise
    `CouldNotMeasureError`.
    """

    configuration: str  # the path of asv's
    project: str
    machine: str  # the name that asv knows it by
    log_path: Path | None  # that asv prints into

    def measure(self, commit: str) -> None:
        """Run the plan on a commit."""
        measure_commits(self.configuration, self.machine, [commit], log_path=self.log_path)

    def extend(self, record: Evidence, workload: str, schedule: str, n_trials: int) -> None:
        """Let a batch of a record go on until it has so many trials; the others stay."""
        if record.measurement_version == MEASUREMENT_VERSION:
            self._fill_spool(record)
        measure_commits(
            self.configuration,
            self.machine,
            [record.commit],
            log_path=self.log_path,
            environment={MORE_TRIALS_VARIABLE: f"{workload}/{schedule}/{n_trials}"},
        )

    def _fill_spool(self, record: Evidence) -> None:
        """Put the batches of a record where the benchmarks keep finished ones, and go on from."""
        spool = Spool(
            SPOOL_DIR / self.project / record.commit / record.environment,
            record.packages,
            record.build_packages,
            record.interpreter,
        )
        for batch in record.batches:
            if batch.printed is None:
                continue
            planned = PlannedBatch(
                workload=batch.workload,
                role=batch.role,
                schedule=batch.schedule,
                target=record.target,
                n_trials=batch.printed.trials,
            )
            # One that is there may have more trials, if a search was interrupted.
            if spool.load_finished(planned) is None:
                spool.save(planned, BatchResult(restore_batch(record, batch)))
