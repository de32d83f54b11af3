"""What a launch costs beside one of a base: a fix that locks too much is one that nobody takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from fixwatch.install_record import BATCH
from fixwatch.judging.batches import (
    BATCH_TIMEOUT_S,
    POLL_PERIOD_S,
    Contender,
    PlannedBatch,
    describe_request,
)
from fixwatch.report.controls import WORKLOAD
from fixwatch.report.series import FALLBACK_WORKLOAD
from fixwatch.statistics.paired_ratios import Ratio, estimate_ratio
from mwe.client import BatchServer

N_ROUNDS = 15
# A batch long enough that starting its process is next to nothing of it.
N_TRIALS = 100
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
    """Time launches of both in turns, one batch at a time: judged, base, base, judged.

    Half of the launches include building the kernel, as in test suites. The first round warms up.
    """
    announce("comparing the cost of a launch")
    servers = {each.name: each.start_server() for each in (judged, base)}
    costs: dict[str, list[float]] = {judged.name: [], base.name: []}
    announced_s = time.monotonic()
    try:
        for number in range(N_ROUNDS + 1):
            round_costs = {judged.name: 0.0, base.name: 0.0}
            for turn, each in enumerate((judged, base, base, judged)):
                seed = f"/{number}/{turn}"
                outcome = _time_batch(servers[each.name], each, seed)
                if isinstance(outcome, str):
                    return LaunchCost(reason=f"{each.installed.snapshot.name}: {outcome}")
                round_costs[each.name] += outcome
            if number:
                for name, cost in round_costs.items():
                    costs[name].append(cost)
            if time.monotonic() - announced_s >= ANNOUNCE_PERIOD_S:
                announced_s = time.monotonic()
                announce(f"{number} of {N_ROUNDS} rounds")
    finally:
        for server in servers.values():
            if server.is_usable:
                server.stop()
    return LaunchCost(ratio=estimate_ratio(costs[judged.name], costs[base.name]))


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
