"""What a launch costs beside one of a base: a fix that locks too much is one that nobody takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

from fixwatch.commands.judge.batches import TARGET, InstalledContender
from fixwatch.statistics.paired_ratios import Ratio, estimate_ratio
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.series import FALLBACK_WORKLOAD
from mwe.planned.client import BatchServer
from mwe.planned.plan import PlannedBatch
from mwe.planned.runner import BATCH_TIMEOUT_S, POLL_PERIOD_S, describe_request

N_ROUNDS = 9
# Batches of each in a round, an even number, after one to warm up.
N_BATCHES = 4
# Long enough that starting its process is little of it.
BATCH = PlannedBatch(
    workload=FALLBACK_WORKLOAD,
    role=WORKLOAD,
    schedule="natural",
    target=TARGET.value,
    n_trials=50,
)
ANNOUNCE_PERIOD_S = 5.0


@dataclass(frozen=True, kw_only=True)
class LaunchCost:
    """How much a launch costs in terms of the base's, or why that is not known."""

    ratio: Ratio | None = None
    reason: str | None = None


def compare_launches(
    judged: InstalledContender, base: InstalledContender, announce: Callable[[str], None]
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
        timed = _run_round(pair)
        if isinstance(timed, str):
            return LaunchCost(reason=timed)
        for name, cost_s in timed.items():
            costs[name].append(cost_s)
        if time.monotonic() - announced_s >= ANNOUNCE_PERIOD_S:
            announced_s = time.monotonic()
            announce(f"{number + 1} of {N_ROUNDS} rounds")
    return LaunchCost(ratio=estimate_ratio(costs[judged.name], costs[base.name]))


def _run_round(
    pair: tuple[InstalledContender, InstalledContender],
) -> dict[str, float] | str:
    """Return the median seconds of a trial by name, or why they are not known."""
    servers = {contender.name: contender.start_server() for contender in pair}
    costs: dict[str, list[float]] = {contender.name: [] for contender in pair}
    first, second = pair
    turns = [*pair, *(first, second, second, first) * (N_BATCHES // 2)]
    try:
        for turn, contender in enumerate(turns):
            cost_s = _time_batch(servers[contender.name], contender.commit)
            if isinstance(cost_s, str):
                return f"{contender.installed.snapshot.name}: {cost_s}"
            if turn >= len(pair):
                costs[contender.name].append(cost_s)
    finally:
        for server in servers.values():
            if server.is_usable:
                server.stop()
    return {name: statistics.median(found) for name, found in costs.items()}


def _time_batch(server: BatchServer, commit: str) -> float | str:
    """Return the seconds of a trial, or why they are not known."""
    server.request(describe_request(commit, BATCH), BATCH_TIMEOUT_S)
    while (result := server.poll()) is None:
        time.sleep(POLL_PERIOD_S)
    batch = result.batch
    if batch is None:
        return f"{result.stage}: {result.reason}"
    if batch["failures_by_mode"].keys() & {"hang", "crash"} or not batch["trials"]:
        return "batch: trials hung or crashed, so their time says nothing"
    return float(batch["duration_s"]) / int(batch["trials"])
