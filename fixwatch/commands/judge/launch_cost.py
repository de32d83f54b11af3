"""What a launch costs beside one of a base: a fix that locks too much is one that nobody takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from fixwatch.commands.judge.batches import (
    BATCH_TIMEOUT_S,
    Contender,
    PlannedBatch,
    describe_request,
)
from fixwatch.records.install_record import BATCH
from fixwatch.statistics.paired_ratios import Ratio, estimate_ratio
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.series import FALLBACK_WORKLOAD
from mwe.planned.client import BatchServer
from mwe.planned.job_queue import POLL_PERIOD_S

N_ROUNDS = 9
# Batches of each in a round, an even number, after one to warm up.
N_BATCHES = 4
# A batch long enough that starting its process is little of it.
N_TRIALS = 50
SCHEDULE = "natural"
ANNOUNCE_PERIOD_S = 5.0


@dataclass(frozen=True, kw_only=True)
class LaunchCost:
    """How much a launch costs in terms of the base's, or why that is not known."""

    ratio: Ratio | None = None
    reason: str | None = None


def compare_launches(
    judged: Contender, base: Contender, announce: Callable[[str], None]
) -> LaunchCost:
    """Time launches of both in turns, one batch at a time.

    Each round has processes of its own: where a process's memory happens to lie makes it slower or
    faster for as long as it lives, which would be taken for a difference of the two. In a round
    they take turns (judged, base, base, judged, and so on); the next round begins with the other.
    Half of the launches include building the kernel, as in test suites.
    """
    announce("comparing the cost of a launch")
    costs: dict[str, list[float]] = {judged.name: [], base.name: []}
    announced_s = time.monotonic()
    for number in range(N_ROUNDS):
        pair = (judged, base) if number % 2 == 0 else (base, judged)
        outcome = _run_round(pair, number)
        if isinstance(outcome, str):
            return LaunchCost(reason=outcome)
        for name, cost_s in outcome.items():
            costs[name].append(cost_s)
        if time.monotonic() - announced_s >= ANNOUNCE_PERIOD_S:
            announced_s = time.monotonic()
            announce(f"{number + 1} of {N_ROUNDS} rounds")
    return LaunchCost(ratio=estimate_ratio(costs[judged.name], costs[base.name]))


def _run_round(pair: tuple[Contender, Contender], number: int) -> dict[str, float] | str:
    """Return the median seconds of a trial by name, or why they are not known."""
    servers = {each.name: each.start_server() for each in pair}
    costs: dict[str, list[float]] = {each.name: [] for each in pair}
    first, second = pair
    turns = [*pair, *(first, second, second, first) * (N_BATCHES // 2)]
    try:
        for turn, each in enumerate(turns):
            outcome = _time_batch(servers[each.name], each, f"/{number}/{turn}")
            if isinstance(outcome, str):
                return f"{each.installed.snapshot.name}: {outcome}"
            if turn >= len(pair):
                costs[each.name].append(outcome)
    finally:
        for server in servers.values():
            if server.is_usable:
                server.stop()
    return {name: statistics.median(found) for name, found in costs.items()}


def _time_batch(server: BatchServer, contender: Contender, seed: str) -> float | str:
    """Return the seconds of a trial, or why they are not known."""
    planned = PlannedBatch(
        workload=FALLBACK_WORKLOAD, role=WORKLOAD, schedule=SCHEDULE, n_trials=N_TRIALS
    )
    server.request(describe_request(contender, planned, seed), BATCH_TIMEOUT_S)
    while (outcome := server.poll()) is None:
        time.sleep(POLL_PERIOD_S)
    if "batch" not in outcome:
        return f"{outcome.get('stage', BATCH)}: {outcome.get('reason', 'no reason')}"
    batch = outcome["batch"]
    if batch["failures_by_mode"].keys() & {"hang", "crash"} or not batch["trials"]:
        return "batch: trials hung or crashed, so their time says nothing"
    return float(batch["duration_s"]) / int(batch["trials"])
