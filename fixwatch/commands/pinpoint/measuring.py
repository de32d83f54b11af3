"""Measuring a commit by asv, with more trials than the plan has where they pay."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from fixwatch.asv_adapter.command import run_asv
from fixwatch.durable_files import write_json_atomically
from fixwatch.errors import CouldNotMeasureError
from fixwatch.installing.as_of import shorten_output
from fixwatch.layout import STATE_DIR
from fixwatch.records.evidence import Evidence, restore_batch

# Standard output is for the answer, and asv prints tables.
LOG_PATH = STATE_DIR / "pinpoint" / "asv.log"
# Where the benchmarks find what is asked for beyond the plan.
MORE_TRIALS_VARIABLE = "ASV_FIXWATCH_MORE_TRIALS"


@dataclass(frozen=True, kw_only=True)
class CommitMeasurer:
    """Runs asv on single commits; what it finds is kept among the results like any other.

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
        """Run the plan on a commit.

        Raises
        ------
        CouldNotMeasureError
            If asv stops; a commit that does not build does not stop it.
        """
        self._run(commit, {})

    def extend(self, record: Evidence, workload: str, schedule: str, n_trials: int) -> None:
        """Let a batch of a record go on until it has so many trials; the others stay.

        Raises
        ------
        CouldNotMeasureError
            If asv stops.
        """
        batches: dict[str, dict[str, object]] = {}
        for batch in record.batches:
            if batch.printed is not None:
                own = batches.setdefault(batch.workload, {})
                own[batch.schedule] = restore_batch(record, batch)
        path = (STATE_DIR / "pinpoint" / f"{record.commit}-{os.getpid()}.json").absolute()
        asked = {
            "commit": record.commit,
            "measurement_version": record.measurement_version,
            "packages": record.packages,
            "trials": {workload: {schedule: n_trials}},
            "batches": batches,
        }
        write_json_atomically(path, asked)
        try:
            self._run(record.commit, {MORE_TRIALS_VARIABLE: str(path)})
        finally:
            path.unlink(missing_ok=True)

    def _run(self, commit: str, environment: Mapping[str, str]) -> None:
        arguments = ["run", "--machine", self.machine, "HASHFILE:-"]
        LOG_PATH.parent.mkdir(parents=True, exist_ok=True)
        with LOG_PATH.open("a+", encoding="utf-8", errors="replace") as log:
            start = log.seek(0, os.SEEK_END)
            status = run_asv(
                self.configuration,
                arguments,
                commit,
                output=log,
                environment={**os.environ, **environment},
            )
            log.seek(start)
            printed = shorten_output(log.read()).splitlines()
        # asv exits with 2 when it went through but something failed; the evidence says what.
        if status not in (0, 2):
            last = f": {printed[-1].strip()}" if printed else ""
            raise CouldNotMeasureError(
                f"asv run stopped with status {status}{last}; {LOG_PATH} has what it printed"
            )
