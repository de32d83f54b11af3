"""What a launch costs beside one of a base: a fix that locks too much is one that nobody takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from fixwatch.commands.judge.batches import TARGET, InstalledContender
from fixwatch.records.fields import Closed, Number
from fixwatch.statistics.paired_ratios import estimate_ratio
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


class _NotTimedError(Exception):
    """A batch says nothing of what a launch costs."""


@dataclass(frozen=True, kw_only=True)
class CostOfLaunch(Closed):
    """What a launch costs in terms of the base's: the median over the rounds, with its interval."""

    ratio: Annotated[float, Field(gt=0)] | None
    low: float | None
    """Lower end of a 95 % interval of the median."""
    high: float | None
    rounds: Number
    reason: str | None
    """Why there is no ratio."""


def say_unknown(reason: str) -> CostOfLaunch:
    """Return that the cost is not known."""
    return CostOfLaunch(ratio=None, low=None, high=None, rounds=0, reason=reason)


def compare_launches(
    judged: InstalledContender,
    base: InstalledContender,
    announce: Callable[[str], None],
    n_rounds: int = N_ROUNDS,
) -> CostOfLaunch:
    """Time launches of both in turns, one batch at a time.

    Each round has processes of its own: where a process's memory happens to lie makes it slower or
    faster for as long as it lives, which would be taken for a difference of the two. In a round
    they take turns (judged, base, base, judged, and so on); the next round begins with the other.
    Half of the launches include building the kernel, as in test suites.
    """
    announce("comparing the cost of a launch")
    rounds = []
    announced_s = time.monotonic()
    try:
        for number in range(n_rounds):
            rounds.append(_run_round((judged, base) if number % 2 == 0 else (base, judged)))
            if time.monotonic() - announced_s >= ANNOUNCE_PERIOD_S:
                announced_s = time.monotonic()
                announce(f"{number + 1} of {n_rounds} rounds")
    except _NotTimedError as error:
        return say_unknown(str(error))
    found = estimate_ratio(*([costs[tree.name] for costs in rounds] for tree in (judged, base)))
    return CostOfLaunch(
        ratio=found.median, low=found.low, high=found.high, rounds=found.n_rounds, reason=None
    )


def _run_round(pair: tuple[InstalledContender, InstalledContender]) -> dict[str, float]:
    """Return the median seconds of a trial by name."""
    servers = {contender.name: contender.start_server() for contender in pair}
    costs: dict[str, list[float]] = {contender.name: [] for contender in pair}
    first, second = pair
    turns = [*pair, *(first, second, second, first) * (N_BATCHES // 2)]
    try:
        for turn, contender in enumerate(turns):
            cost_s = _time_batch(servers[contender.name], contender)
            if turn >= len(pair):
                costs[contender.name].append(cost_s)
    finally:
        for server in servers.values():
            server.stop()
    return {name: statistics.median(found) for name, found in costs.items()}


def _time_batch(server: BatchServer, contender: InstalledContender) -> float:
    """Return the seconds of a trial, unless nothing can be said of them."""
    server.request(describe_request(contender.commit, BATCH), BATCH_TIMEOUT_S)
    while (result := server.poll()) is None:
        time.sleep(POLL_PERIOD_S)
    batch, name = result.batch, contender.snapshot.name
    if batch is None:
        raise _NotTimedError(f"{name}: {result.stage}: {result.reason}")
    if batch["failures_by_mode"].keys() & {"hang", "crash"} or not batch["trials"]:
        raise _NotTimedError(f"{name}: batch: trials hung or crashed, so their time says nothing")
    return float(batch["duration_s"]) / int(batch["trials"])
