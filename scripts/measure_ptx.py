"""Which releases compile which workloads for a device, without one: ``make measure-ptx``.

Each release is installed with the parts of the toolkit that it would get for a driver of CUDA 12 or
13, as of its upload day, and compiles the kernels of all workloads to PTX.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from packaging.version import Version

from fixwatch.history.release_table import Release, load_release_table
from fixwatch.installing.as_of import NoSolutionError, install_exactly, resolve_as_of
from fixwatch.installing.as_of_exceptions import find_missing_requirements
from fixwatch.installing.cuda_driver import CudaDriver
from fixwatch.installing.cuda_parts import find_cuda_requirements
from fixwatch.layout import STATE_DIR

# The newest patch of each range that has parts of its own, and the ends of those ranges.
SELECTION = {
    "numba": ("0.57.1", "0.58.1", "0.59.1", "0.60.0", "0.61.2", "0.63.1", "0.66.0", "0.68.1"),
    "numba-cuda": (
        "0.0.15", "0.4.0", "0.9.0", "0.10.1", "0.13.0", "0.14.0", "0.15.2", "0.16.0", "0.18.1",
        "0.19.1", "0.20.1", "0.22.2", "0.24.0", "0.26.0", "0.28.2", "0.30.4",
    ),
}  # fmt: skip
# What the rows of a table are for: the toolkit's generation, and a driver that gets it.
DRIVERS = {12: None, 13: CudaDriver(version=(13, 0))}


def install(release: Release, cuda: int) -> Path | None:
    """Return the interpreter of an environment with a release; None if it gets no such parts."""
    parts = find_cuda_requirements(release.upstream, Version(release.version), DRIVERS[cuda])
    if cuda == 13 and parts.extra != "cu13":
        return None
    folder = STATE_DIR / "ptx" / f"{release.upstream}-{release.version}-cuda{cuda}"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--no-pip", folder], check=True)
        resolution = resolve_as_of(
            [
                f"{parts.name(release.upstream)}=={release.version}",
                *parts.requirements,
                *find_missing_requirements(release.upstream, release.version),
            ],
            release.resolved_as_of,
            python,
            exempt=[release.upstream],
        )
        install_exactly(resolution.pins, folder, python)
        (folder / "installed").touch()
    return python.absolute()


def compile_all(python: Path) -> dict[str, Any] | str:
    """Return what the reproducer's --ptx says, or its one line where nothing could be compiled."""
    command = [python, "-m", "mwe", "--ptx", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if not done.stdout:
        return done.stderr.strip()
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def describe(release: Release, cuda: int) -> str | None:
    """Return a row of the table."""
    name = f"{release.upstream} {release.version} | {cuda}"
    try:
        python = install(release, cuda)
    except NoSolutionError as error:
        return f"| {name} | – | – | {str(error).splitlines()[-1].strip()} | – |"
    if python is None:
        return None
    start_s = time.perf_counter()
    document = compile_all(python)
    duration_s = time.perf_counter() - start_s
    if isinstance(document, str):
        return f"| {name} | – | 0 | {document} | {duration_s:.1f} |"
    parts = ", ".join(
        f"{package} {version}"
        for package, version in document["packages"].items()
        if package.startswith(("nvidia-cuda-nvcc", "nvidia-nvvm", "nvidia-cuda-nvrtc"))
    )
    kernels = document["workloads"]
    refused = {each["reason"] for each in kernels.values() if not each["is_complete"]}
    n_complete = sum(each["is_complete"] for each in kernels.values())
    reasons = "; ".join(sorted(refused)) or "–"
    return f"| {name} | {parts} | {n_complete} of {len(kernels)} | {reasons} | {duration_s:.1f} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every release, not a selection")
    options = parser.parse_args()
    print("| release | CUDA | compiler | kernels compiled | refused with | s |")
    print("|---|---|---|---|---|---|")
    for release in load_release_table():
        is_selected = options.all or release.version in SELECTION[release.upstream]
        if not is_selected or not release.has_wheel_for(sys.version_info[:2]):
            continue
        for cuda in DRIVERS:
            row = describe(release, cuda)
            if row is not None:
                print(row, flush=True)


if __name__ == "__main__":
    main()
