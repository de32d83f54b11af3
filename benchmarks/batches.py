"""Run the batches of a revision, each once and apart from the others, and keep what they found.

A finished batch is kept in a spool at once: an asv that is killed loses the batch that was
running and no other, and the next run of the same revision takes the rest from there.
"""

import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from mwe.planned.client import BatchServer, digest_harness  # noqa: E402 (needs the root on the path)
from mwe.planned.job_queue import Job, run_jobs  # noqa: E402
from mwe.planned.plan import decides, describe_unplanned, find_planned_trials  # noqa: E402
from mwe.schedules import SCHEDULES  # noqa: E402
from mwe.targets import Target  # noqa: E402
from mwe.workloads import WORKLOADS, Workload  # noqa: E402

# Bumped whenever the meaning of a count changes; see the CHANGELOG's *Measurement*.
MEASUREMENT_VERSION = (
    Path(__file__).with_name("measurement_version").read_text(encoding="utf-8").strip()
)
BATCH_TIMEOUT_S = float(os.environ.get("ASV_FIXWATCH_BATCH_TIMEOUT_S", "120"))
LEFT_OUT = "not planned: the configuration leaves this workload out"
TARGET = Target.CUDA if os.environ.get("NUMBA_ENABLE_CUDASIM") == "0" else Target.SIMULATOR
# Importing numba and asking the driver takes a second or two.
CHECK_TIMEOUT_S = 60.0
# Names with commas between, from the configuration; nothing means all.
SELECTED = frozenset(filter(None, os.environ.get("ASV_FIXWATCH_WORKLOADS", "").split(",")))


def measure_batches() -> dict:
    """Run every planned batch that the spool does not have, two at a time on two cores.

    Returns
    -------
    dict
        By (workload, schedule): what `_run_batches` leaves in the spool, or a ``reason`` why
        there is nothing.
    """
    unknown = SELECTED - WORKLOADS.keys()
    if unknown:
        raise ValueError(f"no workload {', '.join(sorted(unknown))}; see python -m mwe --list")
    outcomes = {}
    waiting = []
    planned = []
    install_record = _read_install_record()
    more = _MoreTrials()
    for workload in WORKLOADS.values():
        for schedule in SCHEDULES:
            key = (workload.name, schedule)
            n_trials = find_planned_trials(workload, schedule, TARGET)
            if SELECTED and workload.name not in SELECTED:
                outcomes[key] = {"reason": LEFT_OUT}
            elif n_trials is None:
                outcomes[key] = {"reason": describe_unplanned(workload, schedule, TARGET)}
            else:
                planned.append((workload, schedule))
                waiting.append((workload, schedule, more.find_trials(workload, schedule, n_trials)))
    spool = _Spool(install_record, more)
    spool.save_plan(planned)
    obstacle = _find_obstacle(install_record)
    if obstacle:
        for workload, schedule, _ in waiting:
            outcome = _not_run(workload, schedule, *obstacle)
            spool.save(workload, schedule, outcome)
            outcomes[workload.name, schedule] = outcome
    else:
        outcomes.update(_run_batches(waiting, spool))
    return outcomes


def _find_obstacle(install_record: dict) -> "tuple[str, str] | None":
    """Return at which stage, and why, no batch of the revision can run; None if they can be tried.

    Whether there is a device is asked once: it is the machine's, the same for every batch.
    """
    if install_record.get("not_run_reason"):
        return install_record["not_run_stage"], install_record["not_run_reason"]
    if TARGET is Target.SIMULATOR:
        return None
    command = [sys.executable, "-m", "mwe", "--check", "--json", "--target", TARGET.value]
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=CHECK_TIMEOUT_S
        )
        missing = json.loads(done.stdout)["missing"]
    except subprocess.TimeoutExpired:
        return "device", f"the driver did not answer within {CHECK_TIMEOUT_S:g} s"
    except (ValueError, KeyError, TypeError):
        # Batches that are tried say more than a check that does not know.
        return None
    # What else is wrong, such as a numba.cuda that does not import, each batch finds for itself.
    if missing not in ("driver", "device"):
        return None
    return "device", done.stderr.strip().removeprefix("mwe: ")


def _run_batches(waiting: list, spool: "_Spool") -> dict:
    outcomes = {}
    jobs = []
    for workload, schedule, n_trials in waiting:
        kept = spool.load(workload, schedule)
        if kept is not None and kept["trials"] >= n_trials:
            outcomes[workload.name, schedule] = {"batch": kept}
            spool.save(workload, schedule, {"batch": kept})
            continue
        # The limit is one for batches of the plan's size.
        n_planned = find_planned_trials(workload, schedule, TARGET) or n_trials
        timeout_s = BATCH_TIMEOUT_S * n_trials / n_planned
        request = _describe(workload, schedule, n_trials, kept)
        jobs.append(Job((workload, schedule), "", request, timeout_s))
    parent = os.getppid()

    def check() -> None:
        if os.getppid() != parent:
            # asv was killed; going on would measure what the next run measures again.
            sys.exit("asv has gone away; stopping")

    for job, outcome in run_jobs(jobs, lambda _: BatchServer(), check=check):
        workload, schedule = job.key
        if "batch" not in outcome:
            outcome = _not_run(workload, schedule, outcome["stage"], outcome["reason"])
        spool.save(workload, schedule, outcome)
        outcomes[workload.name, schedule] = outcome
    return outcomes


def _describe(
    workload: Workload, schedule: str, n_trials: int, earlier: "dict | None" = None
) -> dict:
    # Different revisions and batches draw different decisions; the same one the same.
    identity = f"{os.environ.get('ASV_COMMIT', '')}/{workload.name}/{schedule}"
    return {
        "workload": workload.name,
        "schedule": schedule,
        "n_trials": n_trials,
        "seed": earlier["seed"] if earlier else zlib.crc32(identity.encode()),
        "target": TARGET.value,
        "earlier": earlier,
    }


def _not_run(workload: Workload, schedule: str, stage: str, reason: str) -> dict:
    return {
        "workload": workload.name,
        "role": workload.role.value,
        "schedule": schedule,
        "stage": stage,
        "reason": reason,
    }


class _MoreTrials:
    """What was asked for beyond the plan, and what of it a record has already."""

    def __init__(self) -> None:
        path = os.environ.get("ASV_FIXWATCH_MORE_TRIALS")
        asked = json.loads(Path(path).read_text(encoding="utf-8")) if path else {}
        self._asked = asked if asked.get("commit") == os.environ.get("ASV_COMMIT") else {}

    def find_trials(self, workload: Workload, schedule: str, n_planned: int) -> int:
        """Return how many trials a batch is to have, at least those of the plan."""
        asked = self._asked.get("trials", {}).get(workload.name, {})
        return max(n_planned, asked.get(schedule, 0))

    def find_recorded(self, workload: Workload, schedule: str, identity: dict) -> "dict | None":
        """Return a batch of the record if its trials mean the same and ran with the same."""
        if any(self._asked.get(n) != identity[n] for n in ("measurement_version", "packages")):
            return None
        recorded = self._asked.get("batches", {})
        return recorded.get(workload.name, {}).get(schedule)


class _Spool:
    """Finished batches of the revision that the environment holds."""

    def __init__(self, install_record: dict, more: "_MoreTrials") -> None:
        self._more = more
        folder = os.environ.get("ASV_FIXWATCH_SPOOL_DIR")
        self.folder = (
            Path(folder) / os.environ["ASV_COMMIT"] / os.environ["ASV_ENV_NAME"] if folder else None
        )
        self.identity = {
            "measurement_version": MEASUREMENT_VERSION,
            "harness_sha256": digest_harness(),
            "packages": install_record.get("packages", {}),
            "build_packages": install_record.get("build_packages", {}),
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
                "decides": decides(schedule, TARGET),
                "file": _file_name(workload, schedule),
            }
            for workload, schedule in planned
        ]
        if self.folder is not None:
            self._write(self.folder / "plan.json", {"planned": entries})

    def load(self, workload: Workload, schedule: str) -> "dict | None":
        """Return a whole batch that was measured with the same packages and harness.

        The spool's, or the record's where that has more trials.
        """
        path = self._path(workload, schedule)
        try:
            kept = json.loads(path.read_text(encoding="utf-8")) if path else {}
        except (OSError, ValueError):
            kept = {}
        spooled = kept.get("batch") if kept.get("identity") == self.identity else None
        recorded = self._more.find_recorded(workload, schedule, self.identity)
        whole = [each for each in (spooled, recorded) if each and each["status"] == "complete"]
        return max(whole, key=lambda each: each["trials"], default=None)

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
