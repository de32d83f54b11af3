"""What the committed results say, for README.md and docs/measurements.md: ``make tables``.

Nothing is measured here. The verdicts are in the words of ``fixwatch status``.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from fixwatch.commands.status import load_series
from fixwatch.layout import COMMITS_CONFIGURATION, NUMBA_CUDA_CONFIGURATION
from fixwatch.report.answer import describe_state
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from mwe.defects import DEFAULT_WORKLOAD
from scripts.tables import MEASUREMENTS, format_table, make_parser, replace_table

SCRIPT = "scripts.tabulate_results"
README = Path("README.md")
CONFIGURATIONS = [Path(COMMITS_CONFIGURATION), Path(NUMBA_CUDA_CONFIGURATION)]
# Whose results are committed; what else lies on disk is not the reader's.
MACHINE = "linux-x86_64-2core"
SCHEDULES = ("delay", "handoff", "natural")


def tabulate_workloads(all_series: Iterable[Series], verdicts: Iterable[Series]) -> str:
    """Return the failing trials of each workload, pooled over commits with the same verdict.

    The verdicts are those of `verdicts`, a series for each upstream.
    """
    groups = {
        (series.key.upstream, revision.record.commit): (series.key.upstream, revision.verdict)
        for series in verdicts
        for revision in series.revisions
    }
    counts: dict[str, dict[tuple[str, Verdict, str], list[Counts]]]
    counts = defaultdict(lambda: defaultdict(list))
    for series in all_series:
        for measurement in series.measurements:
            group = groups[series.key.upstream, measurement.record.commit]
            if measurement.counts:
                own = counts[series.key.workload]
                own[(*group, measurement.schedule)].append(measurement.counts)
    n_commits = sorted(Counter(groups.values()).items())
    columns = [f"{upstream} {verdict.value}: {n} commits" for (upstream, verdict), n in n_commits]
    rows = [
        [f"`{workload}`"]
        + [
            ", ".join(
                f"{pooled.n_failures} of {pooled.n_trials}"
                for schedule in SCHEDULES
                if (pooled := pool_counts(own[(*group, schedule)]))
            )
            for group, _ in n_commits
        ]
        for workload, own in sorted(counts.items())
    ]
    return format_table(["workload", *columns], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the verdicts into README.md, the workloads into docs/measurements.md."""
    parser = make_parser(__doc__)
    parser.add_argument("--readme", type=Path, default=README)
    options = parser.parse_args(arguments)
    all_series, _ = load_series(CONFIGURATIONS, MACHINE)
    verdicts = [series for series in all_series if series.key.workload == DEFAULT_WORKLOAD]
    lines = [f"- **{series.key.upstream}**: {describe_state(series)}." for series in verdicts]
    replace_table(options.readme, "verdict", SCRIPT, "\n".join(lines))
    document = options.document or MEASUREMENTS
    replace_table(document, "workloads", SCRIPT, tabulate_workloads(all_series, verdicts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
