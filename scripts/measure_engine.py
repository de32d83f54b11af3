"""What the trial engine finds and costs on real releases: ``make measure-engine``.

The reproducer runs the default workload under each schedule in an environment with the release. A
trial's cost is that of many trials less that of one, divided by their number: starting Python and
importing numba is left out, starting a fresh worker after a failure is not.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mwe.defects import DEFAULT_WORKLOAD, DEFECTS, WORKLOADS, find_defect
from mwe.schedules import find_schedules
from mwe.targets import Target
from mwe.workloads.subject import Role
from scripts.environments import find_release, install
from scripts.explore_releases import (
    SEARCH_COLUMNS,
    SPACE_COLUMNS,
    describe_search,
    describe_space,
    run_in,
)
from scripts.tables import TableWriter, make_parser

# The trials of each release under each schedule.
N_TRIALS = {
    "numba 0.57.1": 1000,
    "numba 0.60.0": 1000,
    "numba 0.68.1": 1000,
    "numba-cuda 0.0.15": 1000,
    "numba-cuda 0.24.0": 1000,
    "numba-cuda 0.26.0": 5000,
    "numba-cuda 0.30.4": 5000,
}
FIXED = ["numba-cuda 0.26.0", "numba-cuda 0.30.4"]
# Those that stand for a defect which `explore` finds.
SEARCHED = [
    defect.default_workload.name for defect in DEFECTS.values() if "explore" in defect.schedules
]
OTHER_SUBJECTS = [
    name
    for name, workload in WORKLOADS.items()
    if workload.role is Role.WORKLOAD
    and Target.SIMULATOR in workload.targets
    and "explore" in find_defect(name).schedules
    and name != DEFAULT_WORKLOAD
]
# Instead of a release: what is installed beside the running Python.
RUNNING = "the running Python"


class Run(NamedTuple):
    """What the reproducer printed, and what it cost with all its workers."""

    document: dict[str, Any]
    cpu_s: float
    max_mib: float


def find_python(name: str) -> Path | None:
    """Return the interpreter with a release; None if it has no wheel for the running Python."""
    if name == RUNNING:
        return Path(sys.executable)
    release = find_release(*name.split())
    return install(release, "engine") if release.has_wheel_for(sys.version_info[:2]) else None


def reproduce(python: Path, schedule: str, n_trials: int) -> Run:
    """Run the reproducer to its end; it exits with 1 where trials failed."""
    command = [python, "-m", "mwe", "--json", f"--schedule={schedule}", f"--trials={n_trials}"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        printed = process.stdout.read() if process.stdout else ""
        # Like `wait`, and with what the process and all that it waited for used.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"exit status {process.returncode}: {command}")
    return Run(json.loads(printed), usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measure(name: str, python: Path, n_trials: int) -> list[list[object]]:
    """Return the rows of a release, one for each schedule."""
    one = reproduce(python, "natural", 1)
    rows: list[list[object]] = []
    for schedule in find_schedules(Target.SIMULATOR):
        if schedule == "explore":
            continue  # its trials differ from each other; see below
        print(f"{name}: {n_trials} trials under {schedule}", file=sys.stderr, flush=True)
        run = reproduce(python, schedule, n_trials)
        first_s = run.document["first_failure_s"]
        row = [
            name,
            schedule,
            f"{run.document['failures']} of {n_trials}",
            "none" if first_s is None else f"{first_s:.3f}",
            f"{1000 * (run.cpu_s - one.cpu_s) / (n_trials - 1):.2f}",
            f"{1000 * run.document['duration_s'] / n_trials:.2f}",
            f"{one.max_mib:.0f}, {run.max_mib:.0f}",
        ]
        rows.append(row)
    return rows


def explore(name: str, python: Path, n_searches: int) -> tuple[list[object], list[object]]:
    """Return the rows of a release on searches, and on whole spaces."""
    searches: list[object] = []
    spaces: list[object] = []
    is_fixed = name in FIXED
    for subject in SEARCHED:
        print(f"{name}: exploring {subject}", file=sys.stderr, flush=True)
        if not (is_fixed and subject == DEFAULT_WORKLOAD):
            n = n_searches if subject == DEFAULT_WORKLOAD else max(1, n_searches // 5)
            found = run_in(python, subject, n)
            searches.append(describe_search(name, subject, found, n))
    names = OTHER_SUBJECTS if name == FIXED[-1] else []
    for subject in [DEFAULT_WORKLOAD, *names] if n_searches > 2 else []:
        print(f"{name}: the whole space of {subject}", file=sys.stderr, flush=True)
        spaces.append(describe_space(name, subject, run_in(python, subject, 0)))
    return searches, spaces


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table."""
    options = make_parser(__doc__).parse_args(arguments)
    writer = TableWriter("scripts.measure_engine", options)
    rows: list[list[object]] = []
    searches: list[Any] = []
    spaces: list[Any] = []
    for name, n_trials in ({RUNNING: 20} if options.quick else N_TRIALS).items():
        python = find_python(name)
        if python is None:
            rows.append([name, *["–"] * 4, "no wheel for this Python", "–"])
        else:
            rows += measure(name, python, n_trials)
            own_searches, own_spaces = explore(name, python, 2 if options.quick else 100)
            searches += own_searches
            spaces += own_spaces
    columns = ["release", "schedule", "failing trials", "first failure, s", "CPU ms a trial"]
    writer.write("engine", [*columns, "wall ms a trial", "MiB at most: 1 trial, all"], rows)
    writer.write("exploration to the first failure", SEARCH_COLUMNS, searches)
    writer.write("whole spaces", SPACE_COLUMNS, spaces)
    return 0


if __name__ == "__main__":
    sys.exit(main())
