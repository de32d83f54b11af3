"""Run the batches of a revision, each once and in a process of its own, and keep what they found.

A finished batch is kept in a spool at once: an asv that is killed loses the batch that was
running and no other, and the next run of the same revision takes the rest from there.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from mwe.plan import decides, find_planned_trials  # noqa: E402 (needs the root on the path)
from mwe.schedules import SCHEDULES  # noqa: E402
from mwe.workloads import WORKLOADS, Workload  # noqa: E402

# Bumped whenever the meaning of a count changes; see the CHANGELOG's *Measurement*.
MEASUREMENT_VERSION = (
    Path(__file__).with_name("measurement_version").read_text(encoding="utf-8").strip()
)
BATCH_TIMEOUT_S = 120.0
POLL_PERIOD_S = 0.02
TERMINATION_TIMEOUT_S = 5.0
MAX_REASON_CHARACTERS = 2000
NOT_PLANNED = "not planned: only workloads run under natural"


def measure_batches() -> dict:
    """Run every planned batch that the spool does not have, two at a time on two cores.

    Returns
    -------
    dict
        By (workload, schedule): what `_run_batches` leaves in the spool, or a ``reason`` why
        there is nothing.
    """
    outcomes = {}
    waiting = []
    planned = []
    install_record = _read_install_record()
    for workload in WORKLOADS.values():
        for schedule in SCHEDULES:
            key = (workload.name, schedule)
            n_trials = find_planned_trials(workload.role, schedule)
            if n_trials is None:
                outcomes[key] = {"reason": NOT_PLANNED}
            else:
                planned.append((workload, schedule))
                waiting.append((workload, schedule, n_trials))
    spool = _Spool(install_record)
    spool.save_plan(planned)
    reason = install_record.get("not_run_reason")
    if reason:
        for workload, schedule, _ in waiting:
            outcome = _not_run(workload, schedule, install_record["not_run_stage"], reason)
            spool.save(workload, schedule, outcome)
            outcomes[workload.name, schedule] = outcome
    else:
        outcomes.update(_run_batches(waiting, spool))
    return outcomes


def _run_batches(waiting: list, spool: "_Spool") -> dict:
    outcomes = {}
    running = {}
    parent = os.getppid()
    n_parallel = max(1, min(2, os.cpu_count() or 1))
    try:
        while waiting or running:
            if os.getppid() != parent:
                # asv was killed; going on would measure what the next run measures again.
                sys.exit("asv has gone away; stopping")
            while waiting and len(running) < n_parallel:
                workload, schedule, n_trials = waiting.pop(0)
                kept = spool.load(workload, schedule, n_trials)
                if kept is not None:
                    outcomes[workload.name, schedule] = kept
                else:
                    batch = _RunningBatch(workload, schedule, n_trials)
                    running[workload.name, schedule] = batch
            for key, batch in list(running.items()):
                outcome = batch.poll()
                if outcome is not None:
                    spool.save(batch.workload, batch.schedule, outcome)
                    outcomes[key] = outcome
                    del running[key]
            time.sleep(POLL_PERIOD_S)
    finally:
        for batch in running.values():
            batch.kill()
    return outcomes


class _RunningBatch:
    """A batch in a process of its own."""

    def __init__(self, workload: Workload, schedule: str, n_trials: int) -> None:
        self.workload, self.schedule, self.n_trials = workload, schedule, n_trials
        self.deadline_s = time.monotonic() + BATCH_TIMEOUT_S
        simulated = os.environ.get("NUMBA_ENABLE_CUDASIM", "1") != "0"
        # Different revisions and batches draw different decisions; the same one the same.
        identity = f"{os.environ.get('ASV_COMMIT', '')}/{workload.name}/{schedule}"
        command = [
            sys.executable, "-m", "mwe", "--json",
            "--workload", workload.name,
            "--schedule", schedule,
            "--trials", str(n_trials),
            "--seed", str(zlib.crc32(identity.encode())),
            "--target", "simulator" if simulated else "cuda",
        ]  # fmt: skip
        # Files, because a pipe that nobody reads blocks whoever writes a lot.
        self.stdout, self.stderr = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=self.stdout, stderr=self.stderr
        )

    def poll(self) -> "dict | None":
        """Return what the batch found, or why it found nothing; None while it runs."""
        if self.process.poll() is None:
            if time.monotonic() < self.deadline_s:
                return None
            self.kill()
            return self._not_run("batch", f"did not finish within {BATCH_TIMEOUT_S:g} s")
        stdout, stderr = _read(self.stdout), _read(self.stderr)
        status = self.process.returncode
        if status in (0, 1):
            try:
                return {"batch": json.loads(stdout)}
            except ValueError:
                return self._not_run("batch", f"printed no result: {_last(stderr)}")
        if status == 3:
            return self._not_run("import", _last(stderr))
        ended = f"signal {-status}" if status < 0 else f"status {status}"
        return self._not_run("batch", f"ended with {ended}: {_last(stderr)}")

    def kill(self) -> None:
        """End the process, which ends its own workers when it is asked to, and wait for it."""
        self.process.terminate()
        try:
            self.process.wait(TERMINATION_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _not_run(self, stage: str, reason: str) -> dict:
        return _not_run(self.workload, self.schedule, stage, reason)


def _not_run(workload: Workload, schedule: str, stage: str, reason: str) -> dict:
    return {
        "workload": workload.name,
        "role": workload.role.value,
        "schedule": schedule,
        "stage": stage,
        "reason": reason[-MAX_REASON_CHARACTERS:],
    }


def _read(file) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


class _Spool:
    """Finished batches of the revision that the environment holds."""

    def __init__(self, install_record: dict) -> None:
        folder = os.environ.get("ASV_FIXWATCH_SPOOL_DIR")
        self.folder = (
            Path(folder) / os.environ["ASV_COMMIT"] / os.environ["ASV_ENV_NAME"] if folder else None
        )
        sources = sorted((ROOT / "mwe").rglob("*.py"))
        digest = hashlib.sha256(b"\0".join(source.read_bytes() for source in sources))
        self.identity = {
            "measurement_version": MEASUREMENT_VERSION,
            "harness_sha256": digest.hexdigest(),
            "packages": install_record.get("packages", {}),
        }

    def _path(self, workload: Workload, schedule: str) -> "Path | None":
        return self.folder and self.folder / _file_name(workload, schedule)

    def save_plan(self, planned: list) -> None:
        """Say which batches there are to be, so that a missing one is missed."""
        entries = [
            {
                "workload": workload.name,
                "role": workload.role.value,
                "schedule": schedule,
                "decides": decides(schedule),
                "file": _file_name(workload, schedule),
            }
            for workload, schedule in planned
        ]
        if self.folder is not None:
            self._write(self.folder / "plan.json", {"planned": entries})

    def load(self, workload: Workload, schedule: str, n_trials: int) -> "dict | None":
        """Return a kept batch if it was measured with the same packages, harness and plan."""
        path = self._path(workload, schedule)
        try:
            kept = json.loads(path.read_text(encoding="utf-8")) if path else {}
        except (OSError, ValueError):
            return None
        batch = kept.get("batch")
        if kept.get("identity") != self.identity or not batch or batch["trials"] != n_trials:
            return None
        return {"batch": batch}

    def save(self, workload: Workload, schedule: str, outcome: dict) -> None:
        """Keep an outcome, whole or not at all."""
        path = self._path(workload, schedule)
        if path is not None:
            self._write(path, outcome)

    def _write(self, path: Path, content: dict) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".part{os.getpid()}")
        part.write_text(json.dumps({"identity": self.identity, **content}), encoding="utf-8")
        os.replace(part, path)


def _file_name(workload: Workload, schedule: str) -> str:
    return f"{workload.name}--{schedule}.json"


def _read_install_record() -> dict:
    try:
        path = Path(os.environ["ASV_ENV_DIR"]) / "fixwatch-install.json"
        record = json.loads(path.read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return {}
    return record if record.get("commit") == os.environ.get("ASV_COMMIT") else {}


def _last(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return "\n".join(lines[-12:]) or "no output"
