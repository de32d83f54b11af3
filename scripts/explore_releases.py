"""What `explore` finds in releases, and what whole spaces take: part of `make measure-engine`.

``python -m scripts.explore_releases SUBJECT N`` in an environment with a release runs N searches of
a subject to their first failures, or the whole space if N is 0, and prints an object: it needs
nothing but numpy and numba beside the project.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from mwe.batch import Batch
from mwe.planned.plan import EXPLORE, MAX_SCHEDULES
from mwe.request import BatchRequest
from mwe.targets import Target

MAX_SPACE_S = 60.0


def explore(name: str, seed: int, **exploration: Any) -> Batch:
    """Explore a workload as the reproducer does."""
    request = BatchRequest(
        workload=name,
        schedule=EXPLORE,
        n_trials=MAX_SCHEDULES,
        seed=seed,
        target=Target.SIMULATOR.value,
        exploration=exploration,
    )
    return request.run()


def search(name: str, n_searches: int) -> dict[str, Any]:
    """Return how soon searches with different orders came to the first failure."""
    batches = [explore(name, seed, limit_s=30.0) for seed in range(1, n_searches + 1)]
    found = [batch for batch in batches if batch.signature_failures]
    return {
        "found": len(found),
        "trials": [batch.trials for batch in found],
        "seconds": [batch.first_failure_s for batch in found],
        "modes": sorted({mode for batch in found for mode in batch.failures_by_mode}),
    }


def exhaust(name: str) -> dict[str, Any]:
    """Return what running the whole space took, as far as it came."""
    start_s = time.perf_counter()
    batch = explore(name, 1, limit_s=MAX_SPACE_S, stops_at_failure=False)
    seconds = time.perf_counter() - start_s
    return {"space": batch.space, "failures": batch.failures, "seconds": seconds}


def run_in(python: Path, name: str, n_searches: int) -> dict[str, Any]:
    """Do one of these with an environment's interpreter."""
    command = [python, "-m", "scripts.explore_releases", name, str(n_searches)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def describe_search(release: str, name: str, found: dict[str, Any], n: int) -> list[object]:
    """Return a row of what searches found."""
    row: list[object] = [release, name, f"{found['found']} of {n}"]
    for values, form in ((found["trials"], "{:.0f}, {:.0f}"), (found["seconds"], "{:.2f}, {:.2f}")):
        row.append(form.format(statistics.median(values), max(values)) if values else "–")
    return [*row, ", ".join(found["modes"]) or "–"]


def describe_space(release: str, name: str, found: dict[str, Any]) -> list[object]:
    """Return a row of what a whole space took."""
    space = found["space"]
    share = "all" if space["exhausted"] else f"{100 * space['run'] / space['schedules']:.0f} %"
    return [
        release,
        name,
        space["points"],
        space["schedules"],
        share,
        found["failures"],
        f"{found['seconds']:.1f}",
        f"{1000 * found['seconds'] / space['run']:.2f}",
    ]


SEARCH_COLUMNS = [
    "release",
    "subject",
    "found",
    "schedules to the first failure: median, most",
    "seconds: median, most",
    "failure modes",
]
SPACE_COLUMNS = [
    "release",
    "subject",
    "points a thread",
    "schedules",
    "run",
    "failing",
    "seconds",
    "wall ms a schedule",
]

if __name__ == "__main__":
    given_name, given_n = sys.argv[1], int(sys.argv[2])
    print(json.dumps(search(given_name, given_n) if given_n else exhaust(given_name)))
