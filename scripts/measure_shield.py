"""What the shield leaves of the defects, and what a launch costs with it: ``make measure-shield``.

Each release is installed as of its upload day. With the shield, those workloads whose whole space
histories explore are explored as a whole, and each defect's runs N_TRIALS under the other schedules
that decide. Batches that were run are kept in the state folder, so that the script goes on where it
was interrupted. What a launch costs is the ratio to launches without the shield in the same
environment, in processes that take turns.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fixwatch.commands.judge.launch_cost import CostOfLaunch, compare_launches
from fixwatch.history.release_table import Release, load_release_table
from fixwatch.layout import STATE_DIR
from mwe.defects import DEFECTS, WORKLOADS
from mwe.planned.client import BatchResult, BatchServer
from mwe.planned.plan import PlannedBatch, plan_batches
from mwe.planned.runner import Contender, run_planned_batches
from mwe.planned.spool import Spool
from mwe.shield import cudasim_shield
from mwe.targets import SHIELD_VARIABLE, Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Asker
from scripts.environments import install
from scripts.tables import TableWriter, make_parser, report_missed

DOCUMENT = Path("docs/shield.md")
N_TRIALS = 2000
MAX_COST = 1.1
# Each source of the two modules, and the ends of each upstream's history.
COMPARED = (
    *("numba 0.57.1", "numba 0.60.0", "numba 0.68.1", "numba-cuda 0.0.15", "numba-cuda 0.12.1"),
    *("numba-cuda 0.13.0", "numba-cuda 0.24.0", "numba-cuda 0.26.0", "numba-cuda 0.30.4"),
)


@dataclass(frozen=True)
class InstalledRelease(Contender):
    """A release with or without the shield, as what times launches takes it."""

    snapshot: SimpleNamespace


def enter(release: Release, python: Path, *, is_shielded: bool) -> InstalledRelease:
    """Let an installed release take part, with the shield or without."""
    name = f"{release.upstream}-{release.version}"
    environment = {**os.environ, SHIELD_VARIABLE: "1" if is_shielded else "0"}
    return InstalledRelease(
        name="shielded" if is_shielded else "as released",
        commit=name,
        spool=Spool(STATE_DIR / "shield" / name, {}, {}),
        start_server=lambda: BatchServer(python, environment=environment),
        snapshot=SimpleNamespace(name=name),
    )


def plan(n_trials: int) -> list[PlannedBatch]:
    """Return the batches of a release, under the schedules that decide."""
    defects = [DEFECTS[name] for name in cudasim_shield.REPAIRS]
    at_least = {
        (defect.default_workload.name, schedule): n_trials
        for defect in defects
        for schedule in defect.schedules
    }
    explored = {
        workload.name
        for defect in defects
        for workload in defect.workloads
        if workload.role is Role.WORKLOAD and workload.explored_whole_by is Asker.HISTORY
    }
    planned = plan_batches(Target.SIMULATOR, WORKLOADS, at_least, asker=Asker.THOROUGH_JUDGE)
    return [
        batch
        for batch in planned
        if (batch.workload, batch.schedule) in at_least
        or (batch.is_exploration and batch.workload in explored)
    ]


def describe(planned: PlannedBatch, result: BatchResult) -> str:
    """Return what became of a batch: failing trials of how many, or of which part of a space."""
    batch = result.batch
    if batch is None:
        return f"not run: {result.reason}"
    counts = f"{batch['failures']} of {batch['trials']:,}"
    if not planned.is_exploration:
        return counts
    return f"{counts}, {'all' if batch['space']['exhausted'] else 'a part'}"


def is_silent(planned: PlannedBatch, result: BatchResult) -> bool:
    """Whether a batch is whole and no trial of it failed."""
    batch = result.batch
    if batch is None or batch["failures"] or batch["refusals"] or batch["status"] != "complete":
        return False
    return bool(batch["space"]["exhausted"]) if planned.is_exploration else True


def measure(
    release: Release, python: Path, planned: Sequence[PlannedBatch]
) -> dict[PlannedBatch, BatchResult]:
    """Run the batches of a release with the shield."""
    contender = enter(release, python, is_shielded=True)
    return {batch: result for _, batch, result in run_planned_batches([contender], planned)}


def compare(release: Release, python: Path) -> CostOfLaunch:
    """Return what a launch costs with the shield, in terms of one without."""
    shielded, bare = (enter(release, python, is_shielded=known) for known in (True, False))
    # They have a name, a commit, a spool and a way to start; no more is asked of a working tree.
    pair: Any = shielded, bare
    return compare_launches(*pair, lambda line: print(line, file=sys.stderr, flush=True))


def choose(names: Sequence[str], releases: Iterable[Release]) -> list[Release]:
    """Return the named releases, or all; those with a wheel for the running Python."""
    return [
        release
        for release in releases
        if release.has_wheel_for(sys.version_info[:2])
        and (not names or f"{release.upstream} {release.version}" in names)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables."""
    parser = make_parser(__doc__)
    parser.add_argument("--release", action="append", default=[], help="such as 'numba 0.68.1'")
    parser.add_argument("--trials", type=int, default=N_TRIALS, help="under each sampling schedule")
    parser.add_argument("--cost", action="store_true", help="time launches alone")
    options = parser.parse_args(arguments)
    options.document = options.document or (None if options.quick else DOCUMENT)
    writer = TableWriter("scripts.measure_shield", options)
    missed: list[str] = []
    if options.cost:
        chosen = choose(options.release or COMPARED, load_release_table())
        write_costs(writer, chosen, missed)
    else:
        chosen = choose(options.release, load_release_table())
        write_failures(writer, chosen, plan(20 if options.quick else options.trials), missed)
    return report_missed(missed, options)


def write_failures(
    writer: TableWriter, releases: Sequence[Release], planned: list[PlannedBatch], missed: list[str]
) -> None:
    """Write what fails with the shield in each release."""
    rows: list[list[object]] = []
    for release in releases:
        name = f"{release.upstream} {release.version}"
        print(name, file=sys.stderr, flush=True)
        found = measure(release, install(release, "engine"), planned)
        rows.append([name, *(describe(batch, found[batch]) for batch in planned)])
        missed += [
            f"{name}: {batch.workload} under {batch.schedule}: {describe(batch, result)}"
            for batch, result in found.items()
            if not is_silent(batch, result)
        ]
    columns = [f"{batch.workload}, {batch.schedule}" for batch in planned]
    writer.write("failures with the shield", ["release", *columns], rows)


def write_costs(writer: TableWriter, releases: Sequence[Release], missed: list[str]) -> None:
    """Write what a launch costs with the shield."""
    rows: list[list[object]] = []
    for release in releases:
        name = f"{release.upstream} {release.version}"
        print(name, file=sys.stderr, flush=True)
        cost = compare(release, install(release, "engine"))
        if cost.ratio is None:
            missed.append(f"{name}: {cost.reason}")
            rows.append([name, cost.reason, "", ""])
            continue
        rows.append([name, f"{cost.ratio:.3f}", f"{cost.low:.3f} to {cost.high:.3f}", cost.rounds])
        if cost.ratio > MAX_COST:
            missed.append(f"{name}: a launch costs {cost.ratio:.3f} times as much")
    columns = ["release", "cost of a launch (median ratio)", "95 % interval", "rounds"]
    writer.write("cost of a launch with the shield", columns, rows)


if __name__ == "__main__":
    sys.exit(main())
