"""What the trial engine costs and finds on real releases: ``make measure-engine``.

Costs are measured on an affected and on a fixed release in turn, in several rounds; within a round
bare launches and paced ones of the same shape alternate. Ratios are taken within a round, medians
are printed. Failures are counted on more releases.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from fixwatch.history.release_table import load_release_table
from fixwatch.installing.as_of import install_exactly, resolve_as_of
from fixwatch.installing.as_of_exceptions import find_missing_requirements
from fixwatch.layout import STATE_DIR

Release = tuple[str, str]

AFFECTED: tuple[Release, ...] = (
    ("numba", "0.57.1"),
    ("numba", "0.60.0"),
    ("numba", "0.68.1"),
    ("numba-cuda", "0.0.15"),
    ("numba-cuda", "0.24.0"),
)
FIXED: tuple[Release, ...] = (("numba-cuda", "0.26.0"), ("numba-cuda", "0.30.4"))
COSTED: tuple[Release, ...] = (("numba", "0.68.1"), ("numba-cuda", "0.30.4"))
N_ROUNDS = 3


def find_release(upstream: str, version: str) -> Any:
    """Return a release of the table."""
    return next(
        row for row in load_release_table() if (row.upstream, row.version) == (upstream, version)
    )


def install(upstream: str, version: str) -> Path:
    """Return the interpreter of an environment that holds a release."""
    folder = STATE_DIR / "engine" / f"{upstream}-{version}-py{platform.python_version()}"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", str(folder)], check=True)
        release = find_release(upstream, version)
        requirements = [f"{upstream}=={version}", *find_missing_requirements(upstream, version)]
        resolution = resolve_as_of(requirements, release.resolved_as_of, python, exempt=[upstream])
        install_exactly(resolution.pins, folder, python)
        (folder / "installed").touch()
    return python.absolute()


def run_probe(release: Release, *arguments: str) -> dict[str, Any]:
    """Run the probe with a release's Python."""
    print(f"{' '.join(release)} {' '.join(arguments)}", file=sys.stderr, flush=True)
    command = [str(install(*release)), "-m", "scripts.engine_probe", *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def has_wheel(release: Release) -> bool:
    """Whether a release has a wheel for the running Python."""
    return bool(find_release(*release).has_wheel_for(sys.version_info[:2]))


def print_costs(n_memory_trials: int) -> None:
    """Print what trials and plans cost."""
    results: dict[Release, list[dict[str, Any]]] = {release: [] for release in COSTED}
    for number in range(N_ROUNDS):
        for release in COSTED:
            arguments = ["--memory-trials", str(n_memory_trials)] if number == 0 else []
            results[release].append(run_probe(release, *arguments))
    print("| schedule (threads) | release | CPU ms: bare, paced | CPU ratio | wall ms | ratio |")
    print("|---|---|---|---|---|---|")
    for schedule in ("delay", "handoff"):
        for release in COSTED:
            rounds = [each[schedule] for each in results[release]]

            def median(key: str, rounds: list[dict[str, Any]] = rounds) -> float:
                return statistics.median(each[key] for each in rounds)

            print(
                f"| {schedule} ({rounds[0]['n_threads']}) | {' '.join(release)} | "
                f"{1000 * median('bare_cpu_s'):.2f}, {1000 * median('cpu_s'):.2f} | "
                f"{median('cpu_ratio'):.1f} | {1000 * median('wall_s'):.2f} | "
                f"{median('wall_ratio'):.1f} |"
            )
    print(
        "\n| plan of local-array | wall s | CPU s | first failure s | MiB after 1/10, after all |"
    )
    print("|---|---|---|---|---|")
    for release in COSTED:
        plans = [each["plan"] for each in results[release]]
        first = [each["first_failure_s"] for each in plans if each["first_failure_s"] is not None]
        memory = ", ".join(f"{size:.0f}" for size in results[release][0]["memory_mib"])
        print(
            f"| {' '.join(release)} | {statistics.median(each['wall_s'] for each in plans):.2f} | "
            f"{statistics.median(each['cpu_s'] for each in plans):.2f} | "
            f"{f'{statistics.median(first):.3f}' if first else 'none'} | {memory} |"
        )


def print_rates(n_affected: int, n_fixed: int) -> None:
    """Print how many trials fail on affected and on fixed releases."""
    print("\n| release | trials each | delay (8 threads) | handoff (2) | natural (8) |")
    print("|---|---|---|---|---|")
    for n_trials, releases in ((n_affected, AFFECTED), (n_fixed, FIXED)):
        for release in releases:
            name = " ".join(release)
            if not has_wheel(release):
                print(f"| {name} | not run: no wheel for this Python | – | – | – |")
                continue
            found = run_probe(release, "--rate-trials", str(n_trials))
            print(
                f"| {name} | {n_trials} | {found['delay']} | {found['handoff']} | "
                f"{found['natural']} |",
                flush=True,
            )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--memory-trials", type=int, default=10_000)
    parser.add_argument("--affected-trials", type=int, default=2_000)
    parser.add_argument("--fixed-trials", type=int, default=5_000)
    options = parser.parse_args()
    print(f"{platform.python_implementation()} {platform.python_version()}\n")
    print_costs(options.memory_trials)
    print_rates(options.affected_trials, options.fixed_trials)


if __name__ == "__main__":
    main()
