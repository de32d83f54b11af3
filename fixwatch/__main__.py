"""The command line: ``python -m fixwatch``."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NoReturn

from asv.util import UserError
from rich.console import Console

from fixwatch.asv_adapter.repositories import UpstreamCommits, refresh_listing
from fixwatch.commands.check.comparison import EXIT_STATUS
from fixwatch.commands.check.run import OUTPUT_DIR, run_check
from fixwatch.commands.check.summary import plan_issue, render_summary
from fixwatch.commands.check.tracking import load_comparison, run_gh, track
from fixwatch.commands.dashboard import measure_releases
from fixwatch.commands.judge.command import add_judge_arguments, run_judge_command
from fixwatch.commands.pinpoint import command as pinpointing
from fixwatch.configuration import Configuration, load_configuration
from fixwatch.errors import (
    CouldNotMeasureError,
    FixwatchError,
    NoResultsError,
    RefusedResultsError,
)
from fixwatch.history.order import load_order
from fixwatch.history.package_index import fetch_releases
from fixwatch.history.release_table import (
    FIRST_VERSIONS,
    load_release_table,
    refresh_release_table,
    save_release_table,
)
from fixwatch.history.relevance import SelectedCommit
from fixwatch.history.sharding import PlannedCommit, digest_sources, plan_shards
from fixwatch.layout import (
    COMMITS_CONFIGURATION,
    CONFIGURATIONS,
    NUMBA_CUDA_CONFIGURATION,
    RELEASES_CONFIGURATION,
    RESULTS_DIR,
)
from fixwatch.machine import describe_machine
from fixwatch.records.evidence import Evidence, iter_evidence
from fixwatch.records.merge import merge_shards
from fixwatch.report.status import build_document
from fixwatch.report.table import print_status_table
from fixwatch.statistics.states import State
from fixwatch.upstream_texts import make_printable
from fixwatch.verdicts.series import Series, build_series

EXIT_INTERRUPTED = 130
# What a shell makes of SIGPIPE: no answer of any command.
EXIT_READER_GONE = 141


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> NoReturn:
        raise FixwatchError(f"{message}; see {self.prog} --help")


def _say(line: str) -> None:
    printable = make_printable(" ".join(line.split()))
    print(f"fixwatch: {printable}", file=sys.stderr, flush=True)


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m fixwatch", description="Track an upstream fix by counts.")
    commands = parser.add_subparsers(dest="command", required=True, parser_class=_Parser)

    status = commands.add_parser("status", help="print the verdict for each upstream and workload")
    status.add_argument("--json", action="store_true", help="print the fix-status document")
    status.add_argument("--config", type=Path, help=f"one of {', '.join(CONFIGURATIONS)}")
    status.set_defaults(run=_run_status)

    dashboard = commands.add_parser(
        "dashboard", help="measure releases on this machine, publish html/, print the status"
    )
    dashboard.add_argument(
        "--all", action="store_true", help="every release, not a selection of about twenty"
    )
    dashboard.set_defaults(run=_run_dashboard)

    plan = commands.add_parser("plan", help="list the commits of a range that asv run measures")
    plan.add_argument("range", help="as asv run takes it, such as v0.57..main")
    plan.add_argument("--config", type=Path, default=Path(COMMITS_CONFIGURATION))
    plan.add_argument(
        "--shards", type=int, help="print a JSON matrix that divides them among so many machines"
    )
    plan.set_defaults(run=_run_plan)

    pinpoint = commands.add_parser(
        "pinpoint", help="find the commit of a range where the failure rate changes"
    )
    pinpointing.add_arguments(pinpoint)
    pinpoint.set_defaults(run=lambda options: pinpointing.run_pinpoint(options, _say))

    check = commands.add_parser(
        "check", help="measure the newest commit and release of each upstream against the record"
    )
    check.add_argument(
        "--config",
        action="append",
        choices=(COMMITS_CONFIGURATION, NUMBA_CUDA_CONFIGURATION),
        help="check this upstream only",
    )
    check.add_argument(
        "--output", type=Path, default=OUTPUT_DIR, help="for check.md and check.json"
    )
    check.add_argument(
        "--dry-run", action="store_true", help="print the tracking issue that would be written"
    )
    check.set_defaults(run=_run_check)

    judge = commands.add_parser(
        "judge", help="say whether a numba or numba-cuda checkout shows the race"
    )
    add_judge_arguments(judge)
    judge.set_defaults(run=lambda options: run_judge_command(options, _say))

    track = commands.add_parser(
        "track", help="bring the tracking issue up to date with what a check measured"
    )
    track.add_argument("file", type=Path, help="the check.json of a check")
    track.add_argument("--dry-run", action="store_true", help="print it, write nothing")
    track.set_defaults(run=_run_track)

    merge = commands.add_parser("merge", help="take the results of shards into results/")
    merge.add_argument(
        "folders", type=Path, nargs="+", metavar="DIR", help="laid out like results/"
    )
    merge.set_defaults(run=_run_merge)

    releases = commands.add_parser("releases", help="list the table of releases")
    releases.add_argument(
        "--refresh", action="store_true", help="first bring the table up to date from the index"
    )
    releases.set_defaults(run=_run_releases)
    return parser


def _run_status(options: argparse.Namespace) -> int:
    print_status(options)
    return 0


def print_status(options: argparse.Namespace, machine: str | None = None) -> list[Series]:
    """Print the status from the results on disk, of one machine if one is named.

    Raises
    ------
    NoResultsError
        If there are none.
    """
    if options.config is not None:
        configurations = [load_configuration(options.config)]
    else:
        configurations = [load_configuration(Path(name)) for name in CONFIGURATIONS]
    records = _load_records(configurations)
    order = load_order(configuration.results_dir for configuration in configurations)
    series = build_series(
        [record for record in records if machine is None or record.machine == machine], order
    )
    if not series:
        folders = ", ".join(str(configuration.results_dir) for configuration in configurations)
        raise NoResultsError(f"nothing is measured in {folders}; run make dashboard first")
    if options.json:
        document = build_document(series, datetime.now(timezone.utc), order)
        print(json.dumps(document, indent=1, allow_nan=False))
    else:
        console = Console()
        # A table that is piped away keeps its columns.
        console = console if console.is_terminal else Console(width=160)
        print_status_table(series, console)
    return series


def _load_records(configurations: Sequence[Configuration]) -> list[Evidence]:
    return [
        record
        for configuration in configurations
        for record in iter_evidence(configuration.results_dir, _say)
    ]


def _run_dashboard(options: argparse.Namespace) -> int:
    machine = describe_machine()
    series: list[Series] = []
    try:
        measure_releases(machine, all_releases=options.all, announce=_say)
    finally:
        status_options = argparse.Namespace(json=False, config=Path(RELEASES_CONFIGURATION))
        with contextlib.suppress(NoResultsError):
            # Results that were copied from elsewhere are not this machine's answer.
            series = print_status(status_options, machine.name)
    if all(each.state.state is State.NOT_RUN for each in series):
        raise CouldNotMeasureError(
            f"no release could be measured with Python {sys.version_info[0]}."
            f"{sys.version_info[1]} on this platform, the table says why; try another Python"
        )
    return 0


def _run_plan(options: argparse.Namespace) -> int:
    configuration = load_configuration(options.config)
    if configuration.source != "commits":
        raise FixwatchError(
            f"{configuration.path}: lists releases, all of which are measured; "
            f"choose {COMMITS_CONFIGURATION}"
        )
    repository = UpstreamCommits(configuration.repository, configuration.project)
    repository.pull()
    selected = repository.select_from_range(options.range)
    if options.shards is not None:
        print(json.dumps(_plan_matrix(repository, selected, options.shards)))
        return 0
    for each in selected:
        print(
            f"{each.commit} {repository.get_committer_date(each.commit):%Y-%m-%d} "
            f"{', '.join(each.reasons)}"
        )
    _say(f"{len(selected)} commits")
    return 0


def _plan_matrix(
    repository: UpstreamCommits, selected: Sequence[SelectedCommit], n_shards: int
) -> dict[str, Any]:
    """Return the matrix that GitHub Actions takes, a shard a job."""
    if n_shards < 1:
        raise FixwatchError(f"--shards is {n_shards}; give at least 1")
    planned = [
        PlannedCommit(each.commit, digest_sources(repository.list_files(each.commit)))
        for each in selected
    ]
    shards = plan_shards(planned, n_shards, repository.project)
    return {
        "include": [
            {
                "shard": shard.number,
                "commits": " ".join(shard.commits),
                "n_commits": len(shard.commits),
                "estimated_s": shard.estimated_s,
            }
            for shard in shards
        ]
    }


def _run_check(options: argparse.Namespace) -> int:
    commits = options.config or (COMMITS_CONFIGURATION, NUMBA_CUDA_CONFIGURATION)
    comparison = run_check(describe_machine(), options.output, _say, commits)
    print(render_summary(comparison))
    if options.dry_run:
        action = plan_issue(comparison, existing=None)
        print(f"tracking issue: {action.kind}\n\n{action.body}".rstrip())
    for finding in comparison.findings:
        _say(f"{finding.upstream}: {finding.outcome.value}, {finding.detail}")
    return EXIT_STATUS[comparison.outcome]


def _run_track(options: argparse.Namespace) -> int:
    comparison = load_comparison(options.file)
    if options.dry_run:
        action = plan_issue(comparison, existing=None)
        print(action.body or "nothing to write", end="\n" if not action.body else "")
    else:
        action = track(comparison, run_gh)
    _say(f"tracking issue: {action.kind}")
    return 0


def _run_merge(options: argparse.Namespace) -> int:
    n_written, refused = merge_shards(options.folders, RESULTS_DIR, _say)
    for name, reason in refused:
        _say(f"refused {name!r}: {reason}")
    if n_written:
        _list_merged_commits()
    _say(f"{n_written} revisions written, {len(refused)} refused")
    if refused:
        raise RefusedResultsError(
            f"{len(refused)} files were refused, see above; the rest is in {RESULTS_DIR}"
        )
    return 0


def _list_merged_commits() -> None:
    """Bring the lists of relevant commits up to date from git; a shard has no say in them."""
    for name in (COMMITS_CONFIGURATION, NUMBA_CUDA_CONFIGURATION):
        configuration = load_configuration(Path(name))
        commits = [record.commit for record in iter_evidence(configuration.results_dir, _say)]
        if not commits:
            continue
        try:
            repository = UpstreamCommits(configuration.repository, configuration.project)
            repository.pull()
            refresh_listing(
                repository, configuration.results_dir, configuration.branch, commits, _say
            )
        except (UserError, subprocess.CalledProcessError) as error:
            _say(f"{configuration.project}: the relevant commits cannot be listed ({error})")


def _run_releases(options: argparse.Namespace) -> int:
    table = load_release_table()
    if options.refresh:
        found = []
        for upstream in FIRST_VERSIONS:
            _say(f"asking the package index for {upstream}")
            found += fetch_releases(upstream)
        refreshed = refresh_release_table(table, found)
        n_new = len(refreshed) - len(table)
        save_release_table(refreshed)
        table = refreshed
        _say(f"{n_new} new releases")
    for release in table:
        yanked = "  yanked" if release.is_yanked else ""
        print(f"{release.upstream:<11}{release.version:<10}{release.uploaded_at:%Y-%m-%d}{yanked}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; errors become one line on standard error."""
    try:
        options = _build_parser().parse_args(arguments)
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except FixwatchError as error:
        _say(str(error))
        return error.exit_status
    except UserError as error:
        _say(str(error))
        return FixwatchError.exit_status
    except KeyboardInterrupt:
        _say("interrupted; what was measured is kept")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read the output has closed it; do not fail again on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_READER_GONE
    except Exception as error:
        if os.environ.get("FIXWATCH_TRACEBACK"):
            raise
        # Whatever it is, it is no answer; 1 would be one of judge's.
        _say(f"unexpected {type(error).__name__}: {error}; FIXWATCH_TRACEBACK=1 shows where")
        return CouldNotMeasureError.exit_status


if __name__ == "__main__":
    sys.exit(main())
