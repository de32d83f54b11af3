"""What the committed results say, for README.md and docs/measurements.md: ``make tables``.

Nothing is measured here. Everything is taken from the document that ``fixwatch status --json``
prints, so that a reader of the tables and a program see the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fixwatch.history.release_table import load_release_table
from mwe.workloads import DEFAULT_WORKLOAD
from scripts.tables import MEASUREMENTS, format_table, make_parser, replace_table

SCRIPT = "scripts.tabulate_results"
README = Path("README.md")
# Whose results are committed; what else lies on disk is not the reader's.
MACHINE = "linux-x86_64-2core"
REPOSITORIES = {"numba": "numba/numba", "numba-cuda": "NVIDIA/numba-cuda"}

Series = dict[str, Any]


def load_series() -> list[Series]:
    """Return the committed series of commits, as ``fixwatch status --json`` states them."""
    command = [sys.executable, "-m", "fixwatch", "status", "--json"]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    wanted = {"source": "commits", "target": "simulator", "machine": MACHINE}
    return [
        series for series in json.loads(printed)["upstreams"] if wanted.items() <= series.items()
    ]


def link(series: Series, revision: dict[str, str]) -> str:
    """Return a commit as a link, with its date."""
    url = f"https://github.com/{REPOSITORIES[series['upstream']]}/commit/{revision['commit']}"
    return f"[{revision['name']}]({url}) ({revision['date'][:10]})"


def describe_verdict(series: Series) -> str:
    """Return the verdict on an upstream in one line of Markdown."""
    measurements = [row for row in series["measurements"] if row["schedule"] == "delay"]
    newest = measurements[-1]
    start = f"- **{series['upstream']}: {series['state']}**"
    newest_counts = f"{newest['failures']} of {newest['trials']} trials fail"
    end = (
        f"{len(measurements)} commits measured; in the newest, "
        f"{link(series, newest['revision'])}, {newest_counts}."
    )
    if series["fixed_in"] is None:
        n_observed = sum(row["verdict"] == "observed" for row in measurements)
        return f"{start}, observed in {n_observed} of {end}"
    at = [row["revision"] for row in measurements].index(series["fixed_in"])
    uploaded = {f"v{release.version}" for release in load_release_table()}
    names = [row["revision"]["name"] for row in measurements[at:]]
    first = next((name for name in names if name in uploaded), "none so far")
    exact = "its direct parent" if series["transitions"][-1]["exact"] else "the one before it"
    return (
        f"{start} in {link(series, series['fixed_in'])}; {exact} is affected. "
        f"First release with it: {first}. {end}"
    )


def tabulate_workloads(all_series: Sequence[Series]) -> str:
    """Return the failing trials of each workload, pooled over commits with the same verdict."""
    counts: dict[str, Counter[tuple[str, ...]]] = defaultdict(Counter)
    verdicts = {
        (series["upstream"], row["revision"]["commit"]): row["verdict"]
        for series in all_series
        for row in series["measurements"]
        if series["workload"] == DEFAULT_WORKLOAD and row["schedule"] == "delay"
    }
    for series in all_series:
        for row in series["measurements"]:
            group = series["upstream"], verdicts[series["upstream"], row["revision"]["commit"]]
            for kind in ("failures", "trials"):
                counts[series["workload"]][(*group, row["schedule"], kind)] += row[kind] or 0
    n_commits = Counter((upstream, verdict) for (upstream, _), verdict in verdicts.items())
    columns = [f"{' '.join(group)}: {n} commits" for group, n in sorted(n_commits.items())]
    rows = [
        [
            f"`{workload}`",
            *(
                ", ".join(
                    f"{own[(*group, schedule, 'failures')]} of {own[(*group, schedule, 'trials')]}"
                    for schedule in ("delay", "handoff")
                )
                for group in sorted(n_commits)
            ),
        ]
        for workload, own in sorted(counts.items())
    ]
    return format_table(["workload", *columns], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the verdicts into README.md, the workloads into docs/measurements.md."""
    parser = make_parser(__doc__)
    parser.add_argument("--readme", type=Path, default=README)
    options = parser.parse_args(arguments)
    all_series = load_series()
    upstreams = [series for series in all_series if series["workload"] == DEFAULT_WORKLOAD]
    verdicts = "\n".join(map(describe_verdict, upstreams))
    replace_table(options.readme, "verdict", SCRIPT, verdicts)
    document = options.document or MEASUREMENTS
    replace_table(document, "workloads", SCRIPT, tabulate_workloads(all_series))
    return 0


if __name__ == "__main__":
    sys.exit(main())
