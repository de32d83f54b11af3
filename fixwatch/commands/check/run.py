"""Running a check: measure by asv, read the evidence, compare, write."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.asv_adapter.command import measure_commits, record_machine
from fixwatch.commands.check.comparison import (
    NEGATIVE_CONTROL,
    POSITIVE_CONTROL,
    Checked,
    Comparison,
    Recorded,
    compare,
)
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
)
from fixwatch.machine import Machine, describe_python
from fixwatch.records.evidence import Evidence, iter_evidence
from fixwatch.statistics.binomial import pool_counts
from fixwatch.upstream_texts import parse_moment
from fixwatch.verdicts.assessment import combine_workloads
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.defects import DefectVerdict, find_verdicts, list_defects
from fixwatch.verdicts.explorations import summarise_explorations
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series, build_series
from fixwatch.verdicts.states import State
from fixwatch.verdicts.targets import SIMULATOR

Announce = Callable[[str], None]

# Preferred as controls of every defect: one release that is measured serves several.
PREFERRED_CONTROLS = (("numba-cuda", "0.24.0"), ("numba-cuda", "0.26.0"))


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
    wanted = [*_find_releases(upstreams, recorded, announce), *wanted_commits]
    record_machine(machine)
    measured = []
    for configuration in CONFIGURATIONS:
        own = [revision for revision in wanted if revision.configuration == configuration]
        if not own:
            continue
        kinds = dict.fromkeys(revision.kind for revision in own)
        announce(f"{configuration}: measuring {', '.join(kinds)}")
        commits_of_own = dict.fromkeys(revision.commit for revision in own)
        measure_commits(configuration, machine.name, list(commits_of_own))
        records = [
            record
            for record in iter_evidence(
                load_configuration(Path(configuration)).results_dir, announce
            )
            if record.machine == machine.name
            and record.python == describe_python()
            # What an earlier check found does not stand in for what this one did not.
            and parse_moment(record.measured_at) >= started_at
        ]
        measured += [
            (revision, record)
            for revision in own
            for record in records
            if record.commit == revision.commit
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
    defects: tuple[str, ...]  # that it is judged for


def read_recorded() -> list[Recorded]:
    """Return what is known of each defect on each upstream, from the results on disk."""
    folders = [load_configuration(Path(name)).results_dir for name in CONFIGURATIONS]
    all_series = build_series(
        [record for folder in folders for record in iter_evidence(folder)], load_order(folders)
    )
    return describe_recorded(all_series, load_release_table())


def describe_recorded(all_series: Sequence[Series], table: Sequence[Release]) -> list[Recorded]:
    """Return what series say of each defect on each upstream, and which releases can check it."""
    found = {
        (verdict.upstream, verdict.defect): verdict
        for verdict in find_verdicts(all_series)
        if verdict.target == SIMULATOR
    }
    rows = []
    for defect in list_defects(SIMULATOR):
        own = [verdict for (_, name), verdict in found.items() if name == defect]
        positive = _choose_control(own, Verdict.OBSERVED, table)
        negative = _choose_control(own, Verdict.NOT_OBSERVED, table)
        for upstream in FIRST_VERSIONS:
            verdict = found.get((upstream, defect))
            speaker = verdict.speaker if verdict else None
            since = speaker.state.since if speaker else None
            counted = speaker.history.counted if speaker else []
            rows.append(
                Recorded(
                    upstream=upstream,
                    defect=defect,
                    state=(verdict.state if verdict else State.NOT_RUN).value,
                    since=speaker.revisions[since].record.name
                    if speaker and since is not None
                    else None,
                    newest=speaker.revisions[counted[-1]].record.name
                    if speaker and counted
                    else None,
                    positive_control=positive,
                    negative_control=negative,
                )
            )
    return rows


def _choose_control(
    verdicts: Iterable[DefectVerdict], wanted: Verdict, table: Sequence[Release]
) -> str | None:
    """Return a release of which the results say so: a preferred one, else the newest there is.

    The upstream whose releases install faster goes first.
    """
    known = {
        (revision.record.upstream, revision.record.version)
        for verdict in verdicts
        for history in verdict.histories
        for revision in history.speaker.revisions
        if revision.verdict is wanted
    }
    releases = [
        release
        for release in table
        if not release.is_yanked and (release.upstream, release.parsed_version) in known
    ]
    best = max(
        releases,
        key=lambda release: (
            (release.upstream, release.version) in PREFERRED_CONTROLS,
            release.upstream == PREFERRED_CONTROLS[0][0],
            release.parsed_version,
        ),
        default=None,
    )
    return f"{best.upstream} {best.version}" if best else None


def _find_releases(
    upstreams: Sequence[str], recorded: Sequence[Recorded], announce: Announce
) -> list[_Wanted]:
    """Bring the table of releases up to date; return the newest ones and the controls."""
    table = load_release_table()
    found = [release for upstream in FIRST_VERSIONS for release in fetch_releases(upstream)]
    refreshed = refresh_release_table(table, found)
    announce(f"{len(refreshed) - len(table)} new releases on the package index")
    save_release_table(refreshed)
    commits = build_release_repository(refreshed)
    controls: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for row in recorded:
        for kind, name in (
            (POSITIVE_CONTROL, row.positive_control),
            (NEGATIVE_CONTROL, row.negative_control),
        ):
            if name is not None:
                controls[name, kind][row.defect] = None
    wanted = [
        (find_newest(refreshed, upstream), "newest release", tuple(list_defects(SIMULATOR)))
        for upstream in upstreams
    ]
    for (name, kind), defects in controls.items():
        upstream, _, version = name.partition(" ")
        wanted.append(((upstream, version), kind, tuple(defects)))
    return [
        _Wanted(RELEASES_CONFIGURATION, key[0], kind, commits[key], defects)
        for key, kind, defects in wanted
    ]


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
        defects = tuple(list_defects(SIMULATOR))
        wanted.append(_Wanted(name, configuration.project, "newest commit", commit, defects))
    return wanted


def _judge(measured: Sequence[tuple[_Wanted, Evidence]]) -> list[Checked]:
    """Judge what was measured by this run alone: the rates too are those of its control."""
    all_series = build_series([record for _, record in measured], RevisionOrder())
    return [
        _judge_one(wanted, record, defect, all_series)
        for wanted, record in measured
        for defect in wanted.defects
    ]


def _judge_one(
    wanted: _Wanted, record: Evidence, defect: str, all_series: Iterable[Series]
) -> Checked:
    judged = [
        revision
        for series in all_series
        if (series.role, series.defect) == (WORKLOAD, defect)
        and (revision := series.find(record)) is not None
    ]
    verdict = combine_workloads(judged)
    counts = pool_counts(revision.counts for revision in judged if revision.counts)
    reasons = [
        found.judgement.reason
        for revision in judged
        for found in revision.deciding or revision.measurements
        if not found.judgement.verdict.is_decided
    ]
    return Checked(
        upstream=wanted.upstream,
        defect=defect,
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
        reason=None if verdict.is_decided else next(filter(None, reasons), record.not_run_reason),
    )
