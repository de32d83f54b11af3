"""What a launch costs with the shield: ``make measure-shield``.

Each release is installed as of its upload day. The cost is the ratio to launches without the shield
in the same environment, in processes that take turns. What the shield leaves of the defects asv
measures, by asv.shield.conf.json.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fixwatch.commands.judge.launch_cost import N_ROUNDS, CostOfLaunch, compare_launches
from fixwatch.history.release_table import Release, load_release_table
from fixwatch.layout import STATE_DIR
from fixwatch.statistics.paired_ratios import MIN_ROUNDS
from mwe.planned.client import BatchServer
from mwe.planned.runner import Contender
from mwe.planned.spool import Spool
from mwe.targets import SHIELD_VARIABLE
from scripts.environments import install
from scripts.tables import TableWriter, make_parser, report_missed

DOCUMENT = Path("docs/shield.md")
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


def compare(release: Release, python: Path, n_rounds: int) -> CostOfLaunch:
    """Return what a launch costs with the shield, in terms of one without."""
    shielded, bare = (enter(release, python, is_shielded=known) for known in (True, False))
    # They have a name, a commit, a spool and a way to start; no more is asked of a working tree.
    pair: Any = shielded, bare
    return compare_launches(
        *pair, lambda line: print(line, file=sys.stderr, flush=True), n_rounds=n_rounds
    )


def choose(names: Sequence[str], releases: Iterable[Release]) -> list[Release]:
    """Return the named releases that have a wheel for the running Python."""
    return [
        release
        for release in releases
        if release.has_wheel_for(sys.version_info[:2])
        and f"{release.upstream} {release.version}" in names
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table; return 1 if a bar is missed."""
    options = make_parser(__doc__).parse_args(arguments)
    options.document = options.document or (None if options.quick else DOCUMENT)
    writer = TableWriter("scripts.measure_shield", options)
    names = COMPARED[-1:] if options.quick else COMPARED
    rows: list[list[object]] = []
    missed: list[str] = []
    for release in choose(names, load_release_table()):
        name = f"{release.upstream} {release.version}"
        print(name, file=sys.stderr, flush=True)
        n_rounds = MIN_ROUNDS if options.quick else N_ROUNDS
        cost = compare(release, install(release, "engine"), n_rounds)
        if cost.ratio is None:
            missed.append(f"{name}: {cost.reason}")
            rows.append([name, cost.reason, "", ""])
            continue
        rows.append([name, f"{cost.ratio:.3f}", f"{cost.low:.3f} to {cost.high:.3f}", cost.rounds])
        if cost.ratio > MAX_COST:
            missed.append(f"{name}: a launch costs {cost.ratio:.3f} times as much")
    columns = ["release", "cost of a launch (median ratio)", "95 % interval", "rounds"]
    writer.write("cost of a launch with the shield", columns, rows)
    return report_missed(missed, options)


if __name__ == "__main__":
    sys.exit(main())
