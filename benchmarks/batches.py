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

from mwe.planned.client import (  # noqa: E402 (needs the root on the path)
    DEVICE,
    BatchResult,
    BatchServer,
    find_missing_device,
)
from mwe.planned.plan import (  # noqa: E402
    MORE_TRIALS_VARIABLE,
    describe_unplanned,
    plan_batches,
)
from mwe.planned.runner import BATCH_TIMEOUT_S, Contender, run_planned_batches  # noqa: E402
from mwe.planned.spool import Spool  # noqa: E402
from mwe.schedules import SCHEDULES  # noqa: E402
from mwe.targets import Target  # noqa: E402
from mwe.workloads import WORKLOADS  # noqa: E402

PLAN = "plan"


def measure_batches(environment=os.environ) -> "dict[tuple[str, str], BatchResult]":
    """Run every planned batch that the spool does not have.

    Returns
    -------
    dict
        What became of each batch by workload and schedule, planned or not.
    """
    commit = environment.get("ASV_COMMIT", "")
    target = Target.CUDA if environment.get("NUMBA_ENABLE_CUDASIM") == "0" else Target.SIMULATOR
    # Names with commas between, from the configuration; nothing means all.
    selected = set(filter(None, environment.get("ASV_FIXWATCH_WORKLOADS", "").split(",")))
    unknown = selected - WORKLOADS.keys()
    if unknown:
        raise ValueError(f"no workload {', '.join(sorted(unknown))}; see python -m mwe --list")
    selected = selected or WORKLOADS.keys()
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
        at_least = {}
        if environment.get(MORE_TRIALS_VARIABLE):
            name, schedule, n_trials = environment[MORE_TRIALS_VARIABLE].split("/")
            at_least[name, schedule] = int(n_trials)
        planned = plan_batches(target, selected, at_least)
        obstacle = _find_obstacle(record, target)
        if obstacle is None:
            timeout_s = float(environment.get("ASV_FIXWATCH_BATCH_TIMEOUT_S", BATCH_TIMEOUT_S))
            contender = Contender("", commit, spool, BatchServer)
            found = run_planned_batches(
                [contender], planned, timeout_s=timeout_s, check=_make_parent_check()
            )
            results = {(b.workload, b.schedule): result for _, b, result in found}
        else:
            spool.save_plan(planned)
            for batch in planned:
                spool.save(batch, obstacle)
            results = {(batch.workload, batch.schedule): obstacle for batch in planned}
    for name, workload in WORKLOADS.items():
        for schedule in SCHEDULES:
            if (name, schedule) not in results:
                reason = "not planned: the configuration leaves this workload out"
                if name in selected:
                    reason = describe_unplanned(workload, schedule, target)
                results[name, schedule] = BatchResult(stage=PLAN, reason=reason)
    return results


def _find_obstacle(record: dict, target: Target) -> "BatchResult | None":
    """Return why no batch of the revision can run; None if they can be tried.

    Whether there is a device is asked once: it is the machine's, the same for every batch.
    """
    if record.get("not_run_reason"):
        return BatchResult(stage=record["not_run_stage"], reason=record["not_run_reason"])
    missing = find_missing_device() if target is Target.CUDA else None
    return BatchResult(stage=DEVICE, reason=missing) if missing else None


def _make_parent_check():
    parent = os.getppid()

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
