"""Which releases compile which workloads for a device, without one: ``make measure-ptx``.

Each release is installed with the parts of the toolkit that it would get for a driver of CUDA 12 or
13, as of its upload day, and compiles the kernels of all workloads to PTX.

``--cost`` measures something else: what the batches of a row cost, those of the target `compiler`
beside those of the simulator, on the same installed release and in turns.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packaging.version import Version

from fixwatch.history.release_table import Release, load_release_table
from fixwatch.installing.as_of import NoSolutionError
from fixwatch.installing.cuda_parts import CudaDriver, find_cuda_requirements
from mwe.targets import TARGET_VARIABLE, Target
from scripts.environments import find_release, install
from scripts.tables import TableWriter, make_parser, report_missed

# The newest patch of each range that has parts of its own, and the ends of those ranges.
SELECTION = {
    "numba": ("0.57.1", "0.58.1", "0.59.1", "0.60.0", "0.61.2", "0.63.1", "0.66.0", "0.68.1"),
    "numba-cuda": (
        "0.0.15", "0.4.0", "0.9.0", "0.10.1", "0.13.0", "0.14.0", "0.15.2", "0.16.0", "0.18.1",
        "0.19.1", "0.20.1", "0.22.2", "0.24.0", "0.26.0", "0.28.2", "0.30.4",
    ),
}  # fmt: skip
# The smallest wheels.
QUICK_SELECTION = {"numba": ("0.68.1",), "numba-cuda": ()}
# The toolkit's generations, and a driver that gets each.
DRIVERS = {12: None, 13: CudaDriver(version=(13, 0))}
COLUMNS = ("release", "CUDA", "compiler", "kernels compiled", "refused with", "s")

COST_SELECTION = (("numba", "0.68.1"), ("numba-cuda", "0.30.4"))
COST_COLUMNS = ("release", "simulator, s", "compiler, s", "ratio", "rounds")
N_ROUNDS = 3
# A row of the compiler costs at most so many times as much as one of the simulator.
MAX_COST = 3.0
TARGETS = (Target.SIMULATOR, Target.COMPILER)
ROW = "from benchmarks.batches import measure_batches; measure_batches()"


def compile_all(python: Path) -> dict[str, Any] | str:
    """Return what the reproducer's --ptx says, or its one line where nothing could be compiled."""
    command = [python, "-m", "mwe", "--ptx", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        return done.stderr.strip()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def measure(release: Release, cuda: int) -> list[object] | None:
    """Return a row of the table; None if the release gets no parts of this generation."""
    parts = find_cuda_requirements(release.upstream, Version(release.version), DRIVERS[cuda])
    if cuda == 13 and parts.extra != "cu13":
        return None
    start: list[object] = [f"{release.upstream} {release.version}", cuda]
    try:
        python = install(release, f"cuda{cuda}", parts)
    except NoSolutionError as error:
        return [*start, "–", "–", str(error).splitlines()[-1].strip(), "–"]
    start_s = time.perf_counter()
    document = compile_all(python)
    duration_s = f"{time.perf_counter() - start_s:.1f}"
    if isinstance(document, str):
        return [*start, "–", 0, document, duration_s]
    compilers = ", ".join(
        f"{package} {version}"
        for package, version in document["packages"].items()
        if package.startswith(("nvidia-cuda-nvcc", "nvidia-nvvm", "nvidia-cuda-nvrtc"))
    )
    kernels = document["workloads"].values()
    reasons = {kernel["reason"] for kernel in kernels if not kernel["is_complete"]}
    n_complete = sum(kernel["is_complete"] for kernel in kernels)
    compiled = f"{n_complete} of {len(kernels)}"
    return [*start, compilers, compiled, "; ".join(sorted(reasons)) or "–", duration_s]


def measure_cost(release: Release, n_rounds: int) -> tuple[list[object], float]:
    """Return a row of the table of costs, and its ratio: of the medians of both targets."""
    parts = find_cuda_requirements(release.upstream, Version(release.version), DRIVERS[12])
    python = install(release, "cuda12", parts)
    durations_s: dict[Target, list[float]] = {target: [] for target in TARGETS}
    for number in range(n_rounds):
        # Each goes first in every second round.
        for target in TARGETS if number % 2 == 0 else reversed(TARGETS):
            start_s = time.perf_counter()
            environment = {**os.environ, TARGET_VARIABLE: target.value}
            subprocess.run([python, "-c", ROW], env=environment, check=True)
            durations_s[target].append(time.perf_counter() - start_s)
    medians_s = [statistics.median(durations_s[target]) for target in TARGETS]
    ratio = medians_s[1] / medians_s[0]
    name = f"{release.upstream} {release.version}"
    return [name, *(f"{found:.1f}" for found in medians_s), f"{ratio:.2f}", n_rounds], ratio


def write_costs(writer: TableWriter, *, is_quick: bool) -> list[str]:
    """Write what a row of the compiler costs; return which bars were missed."""
    rows, missed = [], []
    n_rounds = 1 if is_quick else N_ROUNDS
    for upstream, version in COST_SELECTION[: 1 if is_quick else None]:
        print("cost of", upstream, version, file=sys.stderr, flush=True)
        row, ratio = measure_cost(find_release(upstream, version), n_rounds)
        rows.append(row)
        if ratio > MAX_COST:
            missed.append(f"{row[0]}: a row of the compiler costs {ratio:.2f} times as much")
    writer.write("cost of a compiler row", COST_COLUMNS, rows)
    return missed


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table."""
    parser = make_parser(__doc__)
    parser.add_argument("--all", action="store_true", help="every release, not a selection")
    parser.add_argument("--cost", action="store_true", help="time rows alone")
    options = parser.parse_args(arguments)
    writer = TableWriter("scripts.measure_ptx", options)
    if options.cost:
        return report_missed(write_costs(writer, is_quick=options.quick), options)
    selection = QUICK_SELECTION if options.quick else SELECTION
    rows = []
    for release in load_release_table():
        is_selected = options.all or release.version in selection[release.upstream]
        if not is_selected or not release.has_wheel_for(sys.version_info[:2]):
            continue
        for cuda in DRIVERS:
            print(release.upstream, release.version, f"CUDA {cuda}", file=sys.stderr, flush=True)
            row = measure(release, cuda)
            if row is not None:
                rows.append(row)
    writer.write("ptx", COLUMNS, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
