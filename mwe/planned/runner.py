"""Runs planned batches on one installed revision, or on two side by side."""

from __future__ import annotations

import math
import os
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from mwe.defects import WORKLOADS
from mwe.outcomes import FailureMode
from mwe.planned.client import BATCH, BatchResult, BatchServer
from mwe.planned.plan import PlannedBatch, find_planned_trials
from mwe.planned.spool import Spool
from mwe.targets import Target

# Of a batch of the plan's size; one with more trials has as much more time, and an exploration this
# much behind its own limit.
BATCH_TIMEOUT_S = 120.0
# A batch that crashes, hangs or does not end costs minutes: after this many, skip the
# environment's remaining batches.
MAX_UNFINISHED = 2
N_PARALLEL = max(1, min(2, os.cpu_count() or 1))
POLL_PERIOD_S = 0.005


@dataclass(frozen=True)
class Contender:
    """An installed revision."""

    name: str  # tells it from the other one of a run
    commit: str  # what the seeds of its batches are drawn from
    spool: Spool  # where its finished batches are kept
    start_server: Callable[[], BatchServer]  # starts a process in its environment


AnyContender = TypeVar("AnyContender", bound=Contender)


def run_planned_batches(
    contenders: Sequence[AnyContender],
    planned: Sequence[PlannedBatch],
    *,
    timeout_s: float = BATCH_TIMEOUT_S,
    check: Callable[[], None] = lambda: None,
) -> Iterator[tuple[AnyContender, PlannedBatch, BatchResult]]:
    """Run the plan on each contender; yield what became of each batch, and keep it in the spool.

    Batches that a spool has are not run again, and one with too few trials goes on from there.
    Two batches run at a time. Two contenders take turns batch by batch, and in going first, so
    that what the machine does meanwhile meets both alike.

    Batches are started in the order of the plan. `timeout_s` is the limit of one of the plan's
    size. `check` is called between looks at the processes; what it raises ends the run.
    """
    waiting: list[tuple[AnyContender, PlannedBatch]] = []
    for contender in contenders:
        contender.spool.save_plan(planned)
    for number, batch in enumerate(planned):
        for contender in contenders if number % 2 == 0 else reversed(contenders):
            finished = contender.spool.load_finished(batch)
            if finished is not None:
                yield contender, batch, BatchResult(finished)
            else:
                waiting.append((contender, batch))
    for contender, batch, result in _run_waiting(waiting, timeout_s, check):
        contender.spool.save(batch, result)
        yield contender, batch, result


def describe_request(
    commit: str, planned: PlannedBatch, earlier: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the fields of `mwe.request.BatchRequest`.

    The seed is crc32(commit/workload/schedule): other revisions and batches draw other decisions,
    the same one the same. A batch that goes on from an earlier one keeps its seed.
    """
    identity = f"{commit}/{planned.workload}/{planned.schedule}"
    return {
        "workload": planned.workload,
        "schedule": planned.schedule,
        "n_trials": planned.n_trials,
        "seed": earlier["seed"] if earlier else zlib.crc32(identity.encode()),
        "target": planned.target,
        "exploration": (
            {"limit_s": planned.limit_s, "stops_at_failure": True} if planned.is_exploration else {}
        ),
        "earlier": earlier,
    }


def _run_waiting(
    waiting: list[tuple[AnyContender, PlannedBatch]], timeout_s: float, check: Callable[[], None]
) -> Iterator[tuple[AnyContender, PlannedBatch, BatchResult]]:
    servers: dict[tuple[int, str], BatchServer] = {}
    running: dict[int, tuple[AnyContender, PlannedBatch]] = {}
    n_unfinished: Counter[str] = Counter()
    try:
        while waiting or running:
            check()
            for slot in range(N_PARALLEL):
                if slot in running:
                    contender, batch = running[slot]
                    result = servers[slot, contender.name].poll()
                    if result is not None:
                        del running[slot]
                        n_unfinished[contender.name] += _is_unfinished(result)
                        yield contender, batch, result
                elif waiting:
                    contender, batch = waiting.pop(0)
                    place = (slot, contender.name)
                    if n_unfinished[contender.name] >= MAX_UNFINISHED:
                        reason = f"not tried: {MAX_UNFINISHED} batches before it did not finish"
                        yield contender, batch, BatchResult(stage=BATCH, reason=reason)
                        continue
                    if place not in servers or not servers[place].is_usable:
                        servers[place] = contender.start_server()
                    # An exploration that was cut short begins anew: only a process knows its space.
                    earlier = None if batch.is_exploration else contender.spool.load(batch)
                    request = describe_request(contender.commit, batch, earlier)
                    servers[place].request(request, _find_timeout(batch, timeout_s))
                    running[slot] = contender, batch
            time.sleep(POLL_PERIOD_S)
    finally:
        for server in servers.values():
            server.stop()


def _is_unfinished(result: BatchResult) -> bool:
    if result.batch is None:
        return result.stage == BATCH
    has_hung = FailureMode.HANG.value in result.batch["failures_by_mode"]
    return has_hung and result.batch["status"] != "complete"


def _find_timeout(batch: PlannedBatch, timeout_s: float) -> float:
    """Return after how many seconds a batch is ended from outside, given those of a planned one."""
    if batch.is_exploration:
        return math.inf if batch.limit_s is None else batch.limit_s + timeout_s
    n_planned = find_planned_trials(WORKLOADS[batch.workload], batch.schedule, Target(batch.target))
    return timeout_s * max(1.0, batch.n_trials / n_planned) if n_planned else timeout_s
