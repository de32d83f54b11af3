"""What asv says by environment variables, and the batches that it asks for by them."""

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from mwe.defects import WORKLOADS  # noqa: E402
from mwe.planned.client import (  # noqa: E402 (needs the root on the path)
    DEVICE,
    BatchResult,
    BatchServer,
    find_missing_device,
)
from mwe.planned.plan import MORE_TRIALS_VARIABLE, plan_batches  # noqa: E402
from mwe.planned.runner import BATCH_TIMEOUT_S, Contender, run_planned_batches  # noqa: E402
from mwe.planned.spool import Spool  # noqa: E402
from mwe.processes import end_with_parent  # noqa: E402
from mwe.schedules import SCHEDULES  # noqa: E402
from mwe.targets import Target, find_configured_target  # noqa: E402
from mwe.workloads.subject import Role  # noqa: E402


def measure_batches(environment=os.environ) -> "dict[tuple[str, str], BatchResult]":
    """Run every planned batch that the spool does not have; by workload and schedule."""
    commit = environment.get("ASV_COMMIT", "")
    target = find_configured_target(environment)
    record = _read_install_record(environment)
    with contextlib.ExitStack() as stack:
        folder = environment.get("ASV_FIXWATCH_SPOOL_DIR") or stack.enter_context(
            tempfile.TemporaryDirectory(prefix="fixwatch-spool-")
        )
        spool = Spool(
            Path(folder) / commit / environment.get("ASV_ENV_NAME", ""),
            record.get("packages", {}),
            record.get("build_packages", {}),
        )
        planned = _plan(environment, target)
        obstacle = _find_obstacle(record, target)
        if obstacle is None:
            timeout_s = float(environment.get("ASV_FIXWATCH_BATCH_TIMEOUT_S", BATCH_TIMEOUT_S))
            contender = Contender("", commit, spool, BatchServer)
            found = run_planned_batches(
                [contender], planned, timeout_s=timeout_s, check=_make_parent_check(environment)
            )
            return {(batch.workload, batch.schedule): result for _, batch, result in found}
        spool.save_plan(planned)
        for batch in planned:
            spool.save(batch, obstacle)
        return {(batch.workload, batch.schedule): obstacle for batch in planned}


def list_parameters(environment=os.environ) -> "list[list[str]]":
    """Return the workloads and schedules that are planned for the environment's target.

    Others would be rows of asv's that never have a value.
    """
    planned = plan_batches(find_configured_target(environment))
    schedules = {batch.schedule for batch in planned}
    return [
        list(dict.fromkeys(batch.workload for batch in planned)),
        [schedule for schedule in SCHEDULES if schedule in schedules],
    ]


def _plan(environment, target: Target) -> list:
    workloads = _read_names(environment, "WORKLOADS", WORKLOADS)
    schedules = _read_names(environment, "SCHEDULES", SCHEDULES)
    # A configuration may ask for more trials of what shows a defect, where they decide.
    n_trials = int(environment.get("ASV_FIXWATCH_TRIALS", 0))
    at_least = {
        (batch.workload, batch.schedule): n_trials
        for batch in plan_batches(target, workloads, schedules=schedules)
        if batch.role == Role.WORKLOAD.value and batch.identity["decides"]
    }
    if environment.get(MORE_TRIALS_VARIABLE):
        workload, schedule, more = environment[MORE_TRIALS_VARIABLE].split("/")
        at_least[workload, schedule] = int(more)
    return plan_batches(target, workloads, at_least, schedules=schedules)


def _read_names(environment, variable: str, known) -> set:
    """Return the names that the configuration gives, with commas between; all if it gives none."""
    names = set(filter(None, environment.get(f"ASV_FIXWATCH_{variable}", "").split(",")))
    unknown = names - set(known)
    if unknown:
        kind = variable.lower().removesuffix("s")
        raise ValueError(f"no {kind} {', '.join(sorted(unknown))}; see python -m mwe --help")
    return names or set(known)


def _find_obstacle(record: dict, target: Target) -> "BatchResult | None":
    """Return why no batch of the revision can run; None if they can be tried.

    Whether there is a device is asked once: it is the machine's, the same for every batch.
    """
    if record.get("not_run_reason"):
        return BatchResult(stage=record["not_run_stage"], reason=record["not_run_reason"])
    missing = find_missing_device() if target is Target.CUDA else None
    return BatchResult(stage=DEVICE, reason=missing) if missing else None


def end_with_asv(environment=os.environ) -> None:
    """Have the system end this process when asv's own ends, where that started it."""
    if environment.get("ASV_FIXWATCH_PID") == str(os.getppid()):
        end_with_parent()


def _make_parent_check(environment):
    # asv's own process says which one it is: it may be gone before this one asks.
    parent = int(environment.get("ASV_FIXWATCH_PID") or os.getppid())

    def check() -> None:
        if os.getppid() != parent:
            # asv was killed; going on would measure what the next run measures again.
            sys.exit("asv has gone away; stopping")

    return check


def _read_install_record(environment) -> dict:
    """Return what the environment holds, as the install left it; nothing of another revision."""
    try:
        path = Path(environment["ASV_ENV_DIR"]) / "fixwatch-install.json"
        record = json.loads(path.read_text(encoding="utf-8"))
    except (KeyError, OSError, ValueError):
        return {}
    return record if record.get("commit") == environment.get("ASV_COMMIT") else {}
