"""Running a check: measure by asv, read the evidence, compare, write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.asv_adapter.command import measure_commits, record_machine
from fixwatch.commands.check.comparison import Checked, Comparison, Recorded, compare
from fixwatch.commands.check.summary import render_summary
from fixwatch.configuration import load_configuration
from fixwatch.durable_files import write_json_atomically, write_text_atomically
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.order import RevisionOrder, load_order
from fixwatch.history.package_index import fetch_releases
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import (
    FIRST_VERSIONS,
    Release,
    load_release_table,
    refresh_release_table,
    save_release_table,
)
from fixwatch.layout import (
    CONFIGURATIONS,
    RELEASES_CONFIGURATION,
    STATE_DIR,
)
from fixwatch.machine import Machine, describe_python
from fixwatch.records.evidence import Evidence, iter_evidence
from fixwatch.statistics.binomial import pool_counts
from fixwatch.upstream_texts import parse_moment
from fixwatch.verdicts.assessment import combine_workloads
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.explorations import summarise_explorations
from fixwatch.verdicts.series import FALLBACK_WORKLOAD, Series, build_series
from fixwatch.verdicts.states import WORST_FIRST, State
from fixwatch.verdicts.targets import SIMULATOR

Announce = Callable[[str], None]

# Measured in every check beside what is new: the first must fail, the second must not.
POSITIVE_CONTROL = ("numba-cuda", "0.24.0")
NEGATIVE_CONTROL = ("numba-cuda", "0.26.0")
OUTPUT_DIR = STATE_DIR / "check"


def run_check(
    machine: Machine,
    output_dir: Path,
    announce: Announce,
    commits: Sequence[str],
) -> Comparison:
    """Measure the newest commit and release of each upstream, and compare.

    What is measured is kept among the results, under this machine's name; the Markdown and the JSON
    go into the output folder. Upstreams are named by the configurations of their commits.

    Raises
    ------
    CouldNotMeasureError
        If the package index or the repositories cannot be reached, or asv stops.
    """
    wanted_commits = _find_commits(commits, announce)
    upstreams = [revision.upstream for revision in wanted_commits]
    started_at = datetime.now(timezone.utc).replace(microsecond=0)
    recorded = [status for status in read_recorded() if status.upstream in upstreams]
    wanted = [*_find_releases(upstreams, announce), *wanted_commits]
    record_machine(machine)
    measured = []
    for configuration in CONFIGURATIONS:
        own = [revision for revision in wanted if revision.configuration == configuration]
        if not own:
            continue
        announce(f"{configuration}: measuring {', '.join(revision.kind for revision in own)}")
        measure_commits(configuration, machine.name, [revision.commit for revision in own])
        folder = load_configuration(Path(configuration)).results_dir
        measured += [
            (revision, record)
            for revision in own
            for record in iter_evidence(folder, announce)
            if record.commit == revision.commit
            and record.machine == machine.name
            and record.python == describe_python()
            # What an earlier check found does not stand in for what this one did not.
            and parse_moment(record.measured_at) >= started_at
        ]
    comparison = compare(recorded, _judge(measured))
    write_json_atomically(output_dir / "check.json", asdict(comparison), indent=1)
    write_text_atomically(output_dir / "check.md", render_summary(comparison))
    return comparison


@dataclass(frozen=True)
class _Wanted:
    """A revision to measure, by which configuration, and what for."""

    configuration: str
    upstream: str
    kind: str
    commit: str


def read_recorded() -> list[Recorded]:
    """Return the status of each upstream from the results on disk, the worst of its series."""
    folders = [load_configuration(Path(name)).results_dir for name in CONFIGURATIONS]
    all_series = build_series(
        [record for folder in folders for record in iter_evidence(folder)], load_order(folders)
    )
    return [_describe_recorded(upstream, all_series) for upstream in FIRST_VERSIONS]


def _describe_recorded(upstream: str, all_series: Iterable[Series]) -> Recorded:
    own = [
        series
        for series in all_series
        if (series.key.upstream, series.key.target) == (upstream, SIMULATOR)
        and series.key.workload == FALLBACK_WORKLOAD
    ]
    if not own:
        return Recorded(upstream=upstream, state=State.NOT_RUN.value, since=None, newest=None)
    worst = min(own, key=lambda series: WORST_FIRST.index(series.state.state))
    since, counted = worst.state.since, worst.history.counted
    return Recorded(
        upstream=upstream,
        state=worst.state.state.value,
        since=worst.revisions[since].record.name if since is not None else None,
        newest=worst.revisions[counted[-1]].record.name if counted else None,
    )


def _find_releases(upstreams: Sequence[str], announce: Announce) -> list[_Wanted]:
    """Bring the table of releases up to date; return the newest ones and the controls."""
    table = load_release_table()
    found = [release for upstream in FIRST_VERSIONS for release in fetch_releases(upstream)]
    refreshed = refresh_release_table(table, found)
    announce(f"{len(refreshed) - len(table)} new releases on the package index")
    save_release_table(refreshed)
    commits = build_release_repository(refreshed)
    kinds = [
        *((find_newest(refreshed, upstream), "newest release") for upstream in upstreams),
        (POSITIVE_CONTROL, "positive control"),
        (NEGATIVE_CONTROL, "negative control"),
    ]
    return [_Wanted(RELEASES_CONFIGURATION, key[0], kind, commits[key]) for key, kind in kinds]


def find_newest(table: Sequence[Release], upstream: str) -> tuple[str, str]:
    """Return upstream and version of the highest release that was not yanked."""
    own = [release for release in table if release.upstream == upstream and not release.is_yanked]
    return upstream, max(own, key=lambda release: release.parsed_version).version


def _find_commits(configurations: Sequence[str], announce: Announce) -> list[_Wanted]:
    wanted = []
    for name in configurations:
        configuration = load_configuration(Path(name))
        mirror = UpstreamMirror(configuration.repository, configuration.project, announce)
        mirror.pull(announce)
        commit = mirror.resolve(configuration.branch)
        wanted.append(_Wanted(name, configuration.project, "newest commit", commit))
    return wanted


def _judge(measured: Sequence[tuple[_Wanted, Evidence]]) -> list[Checked]:
    """Judge what was measured by this run alone: the rates too are those of its control."""
    all_series = build_series([record for _, record in measured], RevisionOrder())
    checked = []
    for wanted, record in measured:
        judged = [
            revision
            for series in all_series
            if series.role == WORKLOAD and (revision := series.find(record)) is not None
        ]
        verdict = combine_workloads(judged)
        counts = pool_counts(revision.counts for revision in judged if revision.counts)
        reasons = [found.judgement.reason for revision in judged for found in revision.deciding]
        checked.append(
            Checked(
                upstream=wanted.upstream,
                kind=wanted.kind,
                name=record.name,
                commit=record.commit,
                date=record.date,
                verdict=verdict,
                n_failures=counts.n_failures if counts else 0,
                n_trials=counts.n_trials if counts else 0,
                explored=summarise_explorations(
                    batch for revision in judged for batch in revision.explorations
                ),
                reason=None if verdict.is_decided else next(filter(None, reasons), None),
            )
        )
    return checked
