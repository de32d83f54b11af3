"""What the trial engine costs on an affected and on a fixed release: ``make measure-engine``.

Both releases are measured in turn, in several rounds; within a round bare launches and paced ones
alternate. Ratios are taken within a round, and medians are printed.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from fixwatch.history.as_of import install_exactly, resolve_as_of
from fixwatch.history.as_of_exceptions import find_missing_requirements
from fixwatch.history.release_table import load_release_table
from fixwatch.layout import STATE_DIR

RELEASES = {"affected": ("numba", "0.68.1"), "fixed": ("numba-cuda", "0.30.4")}
N_ROUNDS = 3


def install(upstream: str, version: str) -> Path:
    """Return the interpreter of an environment that holds a release."""
    folder = STATE_DIR / "engine" / f"{upstream}-{version}-py{platform.python_version()}"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", str(folder)], check=True)
        release = next(
            row
            for row in load_release_table()
            if (row.upstream, row.version) == (upstream, version)
        )
        requirements = [f"{upstream}=={version}", *find_missing_requirements(upstream, version)]
        resolution = resolve_as_of(requirements, release.resolved_as_of, python, exempt=[upstream])
        install_exactly(resolution.pins, folder, python)
        (folder / "installed").touch()
    return python.absolute()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory-trials", type=int, default=10_000)
    options = parser.parse_args()
    pythons = {name: install(*release) for name, release in RELEASES.items()}
    results: dict[str, list[dict]] = {name: [] for name in RELEASES}
    for number in range(N_ROUNDS):
        for name, python in pythons.items():
            arguments = [str(options.memory_trials)] if number == 0 else []
            command = [str(python), "-m", "scripts.engine_probe", *arguments]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            results[name].append(json.loads(done.stdout))
            print(f"round {number + 1} of {N_ROUNDS}: {name} done", file=sys.stderr, flush=True)
    print(f"{platform.python_implementation()} {platform.python_version()}\n")
    print("| schedule (threads) | release | failures | CPU ms: bare, paced | CPU ratio | wall ms |")
    print("|---|---|---|---|---|---|")
    for schedule in ("delay", "handoff"):
        for name, release in RELEASES.items():
            rounds = [each[schedule] for each in results[name]]

            def median(key: str, rounds: list[dict] = rounds) -> float:
                return statistics.median(each[key] for each in rounds)

            failures = sum(each["failures"] for each in rounds)
            trials = sum(each["trials"] for each in rounds)
            print(
                f"| {schedule} ({rounds[0]['n_threads']}) | {' '.join(release)} | "
                f"{failures} of {trials} | {1000 * median('bare_cpu_s'):.2f}, "
                f"{1000 * median('cpu_s'):.2f} | {median('cpu_ratio'):.1f} | "
                f"{1000 * median('wall_s'):.2f} |"
            )
    print(
        "\n| plan of local-array | wall s | CPU s | first failure s | MiB after 1/10, after all |"
    )
    print("|---|---|---|---|---|")
    for name, release in RELEASES.items():
        plans = [each["plan"] for each in results[name]]
        first = [each["first_failure_s"] for each in plans if each["first_failure_s"] is not None]
        memory = ", ".join(f"{size:.0f}" for size in results[name][0]["memory_mib"])
        print(
            f"| {' '.join(release)} | {statistics.median(each['wall_s'] for each in plans):.2f} | "
            f"{statistics.median(each['cpu_s'] for each in plans):.2f} | "
            f"{f'{statistics.median(first):.3f}' if first else 'none'} | {memory} |"
        )


if __name__ == "__main__":
    main()
