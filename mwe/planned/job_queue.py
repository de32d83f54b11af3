"""Batches that wait for a process to run them, two at a time on two cores."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mwe.planned.client import BatchServer

# After so many that crashed or did not end, the rest of the same place would only wait for that.
MAX_UNFINISHED = 2
N_PARALLEL = max(1, min(2, os.cpu_count() or 1))
POLL_PERIOD_S = 0.005

Outcome = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """A batch to be run.

    Attributes
    ----------
    key
        What its owner knows it by.
    place
        The environment that it runs in; its failures do not count against others.
    request
        The fields of `mwe.request.BatchRequest`.
    timeout_s
        After which it is given up.
    """

    key: Any
    place: str
    request: Mapping[str, Any]
    timeout_s: float


def never_finished(outcome: Outcome) -> bool:
    """Whether a batch crashed its process or did not end."""
    return bool(outcome.get("stage") == "batch")


def run_jobs(
    jobs: Iterable[Job],
    start_server: Callable[[str], BatchServer],
    *,
    is_unfinished: Callable[[Outcome], bool] = never_finished,
    check: Callable[[], None] = lambda: None,
) -> Iterator[tuple[Job, Outcome]]:
    """Yield the outcome of each job as it ends: the batch, or the stage that failed and why.

    Parameters
    ----------
    jobs
        In the order in which they are to be started.
    start_server
        Starts a process in the environment of a place; one is used for as long as it can be.
    is_unfinished
        Which outcomes count towards `MAX_UNFINISHED`.
    check
        Called between looks; what it raises ends everything.
    """
    waiting = list(jobs)
    servers: dict[tuple[int, str], BatchServer] = {}
    running: dict[int, Job] = {}
    n_unfinished: Counter[str] = Counter()
    try:
        while waiting or running:
            check()
            for slot in range(N_PARALLEL):
                if slot in running:
                    job = running[slot]
                    outcome = servers[slot, job.place].poll()
                    if outcome is not None:
                        del running[slot]
                        n_unfinished[job.place] += is_unfinished(outcome)
                        yield job, outcome
                elif waiting:
                    job = waiting.pop(0)
                    if n_unfinished[job.place] >= MAX_UNFINISHED:
                        reason = f"not tried: {MAX_UNFINISHED} batches before it did not finish"
                        yield job, {"stage": "batch", "reason": reason}
                        continue
                    server = servers.get((slot, job.place))
                    if server is None or not server.is_usable:
                        server = servers[slot, job.place] = start_server(job.place)
                    server.request(job.request, job.timeout_s)
                    running[slot] = job
            time.sleep(POLL_PERIOD_S)
    finally:
        for server in servers.values():
            if server.is_usable:
                server.stop()
