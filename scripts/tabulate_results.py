"""What the committed results say, for README.md and the documents: ``make tables``.

Nothing is measured here. The verdicts are in the words of ``fixwatch status``.
"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.version import Version

from fixwatch.commands.status import load_records
from fixwatch.layout import (
    COMMITS_CONFIGURATION,
    NUMBA_CUDA_CONFIGURATION,
    SHIELD_RESULTS_DIR,
)
from fixwatch.records.evidence import BatchEvidence, Evidence, iter_evidence
from fixwatch.report.answer import describe_history, describe_upstreams
from fixwatch.report.markdown import quote_markdown
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.defects import DefectHistory, find_verdicts
from fixwatch.verdicts.explorations import count_failures, find_printed, is_exhausted
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series, build_series
from fixwatch.verdicts.shielded import ShieldedReleases, find_shielded
from mwe.defects import DEFECTS, WORKLOADS
from mwe.schedules import SCHEDULES
from scripts.tables import MEASUREMENTS, format_table, make_parser, replace_table

SCRIPT = "scripts.tabulate_results"
README, SHIELD = Path("README.md"), Path("docs/shield.md")
UPSTREAMS = ("numba", "numba-cuda")
CONFIGURATIONS = [Path(COMMITS_CONFIGURATION), Path(NUMBA_CUDA_CONFIGURATION)]
# Whose results are committed; what else lies on disk is not the reader's.
MACHINE = "linux-x86_64-2core"


def tabulate_defect(histories: Sequence[DefectHistory], all_series: Iterable[Series]) -> str:
    """Return the failing trials of a defect's workloads, pooled over commits with one verdict.

    The verdicts are those of the workload that speaks for the defect, in a history for each
    upstream. Of an exploration a failing space counts as one trial that failed.
    """
    groups = {
        (history.speaker.key.upstream, revision.record.commit): (
            history.speaker.key.upstream,
            revision.verdict,
        )
        for history in histories
        for revision in history.speaker.revisions
    }
    counts: dict[str, dict[tuple[str, Verdict, str], list[Counts]]]
    counts = defaultdict(lambda: defaultdict(list))
    for series in all_series:
        own = counts[series.key.workload]
        for measurement in series.measurements:
            group = groups.get((series.key.upstream, measurement.record.commit))
            if group and (counted := _count(measurement)):
                own[(*group, measurement.schedule or "")].append(counted)
    n_commits = sorted(Counter(groups.values()).items())
    columns = [f"{upstream} {verdict.value}: {n} commits" for (upstream, verdict), n in n_commits]
    rows = [
        [f"`{workload}`"]
        + [
            ", ".join(
                f"{schedule} {pooled.n_failures} of {pooled.n_trials}"
                for schedule in SCHEDULES
                if (pooled := pool_counts(counts[workload][(*group, schedule)]))
            )
            for group, _ in n_commits
        ]
        for workload in WORKLOADS
        if counts.get(workload)
    ]
    return format_table(["workload", *columns], rows)


def _count(measurement: Measurement) -> Counts | None:
    """Return the counts of a batch; of an exploration, whether a schedule failed."""
    batch = measurement.batch
    if batch is None or not batch.is_exploration:
        return measurement.counts
    if find_printed(batch) is None:
        return None
    return Counts(int(count_failures(batch) > 0), 1)


def tabulate_shielded(records: Iterable[Evidence]) -> str:
    """Return what fails in each release with the shield, oldest first."""
    records = sorted(records, key=lambda record: (record.upstream, Version(record.name)))
    found = [find_shielded(records, name) for name in sorted(UPSTREAMS)]
    measured = [record for own in found for record in own.records]
    if not measured:
        return "No release was measured yet."
    columns = list(
        dict.fromkeys(
            (batch.workload, batch.schedule)
            for record in measured
            for batch in _list_shielded(record)
        )
    )
    rows = []
    for record in measured:
        cells = {
            (batch.workload, batch.schedule): _describe_shielded(batch)
            for batch in _list_shielded(record)
        }
        texts = [cells.get(column, "not planned") for column in columns]
        rows.append([f"{record.upstream} {record.name}", *texts])
    table = format_table(["release", *(", ".join(column) for column in columns)], rows)
    not_run = [
        f"{record.upstream} {record.name} was not run: {quote_markdown(_find_reason(record))}"
        for own in found
        for record in own.not_run
    ]
    return "\n\n".join([table, *not_run])


def _find_reason(record: Evidence) -> str:
    reasons = [record.not_run_reason, *(batch.reason for batch in record.batches)]
    return next(filter(None, reasons), "no batch was planned")


def _list_shielded(record: Evidence) -> list[BatchEvidence]:
    return [
        batch for defect in DEFECTS for batch in ShieldedReleases((record,)).find(defect).batches
    ]


def _describe_shielded(batch: BatchEvidence) -> str:
    """Return what became of a batch: failing trials of how many, or of which part of a space."""
    printed = find_printed(batch)
    if printed is None:
        return f"not run: {quote_markdown(batch.reason or '')}"
    counts = f"{printed.failures + printed.refusals} of {printed.trials:,}"
    if not batch.is_exploration:
        return counts
    return f"{counts}, {'all' if is_exhausted(batch) else 'a part'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the verdicts into README.md, the workloads and the shield into their documents."""
    parser = make_parser(__doc__)
    parser.add_argument("--readme", type=Path, default=README)
    parser.add_argument("--shield", type=Path, default=SHIELD)
    options = parser.parse_args(arguments)
    records, order = load_records(CONFIGURATIONS)
    all_series = build_series([found for found in records if found.machine == MACHINE], order)
    verdicts = find_verdicts(all_series)
    answers = [f"- **{line.replace(': ', '**: ', 1)}." for line in describe_upstreams(verdicts)]
    replace_table(options.readme, "verdict", SCRIPT, "\n".join(answers))
    tables = []
    for defect in DEFECTS:
        histories = [
            history
            for verdict in verdicts
            if verdict.defect == defect
            for history in verdict.histories
        ]
        own = [series for series in all_series if series.defect == defect]
        lines = [
            f"- {history.speaker.key.upstream}: {describe_history(history)}."
            for history in histories
        ]
        tables.append(
            "\n\n".join([f"### {defect}", "\n".join(lines), tabulate_defect(histories, own)])
        )
    document = options.document or MEASUREMENTS
    replace_table(document, "workloads", SCRIPT, "\n\n".join(tables))
    shielded = [record for record in iter_evidence(SHIELD_RESULTS_DIR) if record.machine == MACHINE]
    table = tabulate_shielded(shielded)
    replace_table(options.shield, "failures with the shield", SCRIPT, table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
