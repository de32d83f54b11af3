"""The command ``dashboard``: measure releases here and now, publish, and print the answer."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from asv.results import get_filename

from fixwatch.asv_adapter.command import measure_commits, record_machine
from fixwatch.commands.command_line import Subparsers, announce, open_console
from fixwatch.commands.progress import Progress, ProgressLine, can_redraw
from fixwatch.commands.publish import publish_site
from fixwatch.commands.status import load_records
from fixwatch.configuration import Configuration, load_configuration
from fixwatch.errors import CouldNotMeasureError, NoResultsError
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import Release, load_release_table, select_dashboard_releases
from fixwatch.layout import CONFIGURATIONS, RELEASES_CONFIGURATION, SPOOL_DIR, STATE_DIR
from fixwatch.machine import Machine, describe_machine, describe_python
from fixwatch.records.evidence import iter_evidence
from fixwatch.report.table import print_answer
from fixwatch.run_lock import wait_for_lock
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.pin_advice import RELEASES, advise_on_releases
from fixwatch.verdicts.series import Series, build_series
from mwe.planned.plan import MEASUREMENT_VERSION

LOG_PATH = STATE_DIR / "dashboard.log"


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "dashboard", help="measure releases on this machine, publish html/, print the answer"
    )
    parser.add_argument(
        "--all", action="store_true", help="every release, not a selection of about twenty"
    )
    parser.add_argument(
        "--verbose", action="store_true", help=f"show what asv prints, else it is in {LOG_PATH}"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Measure, publish, and print what this machine has measured, even where that was cut short."""
    machine = describe_machine()
    log_path = None if options.verbose else LOG_PATH
    try:
        page = _measure_and_publish(machine, log_path, all_releases=options.all)
    except CouldNotMeasureError:
        _print_answer(machine)
        raise
    series = _print_answer(machine)
    for line in (
        f"The page, with asv's sites below it: {page}",
        "A row for each defect: .venv/bin/python -m fixwatch status; with --all each workload",
    ):
        print(line)
    _check_measured(series)
    return 0


def _print_answer(machine: Machine) -> list[Series]:
    """Print what this machine has measured, and the advice from all results; return the former.

    Results that were copied from elsewhere are not this machine's answer, but a machine that has
    measured a few releases does not advise against what is known of the others.
    """
    series: list[Series] = []
    with contextlib.suppress(NoResultsError):
        records, order = load_records([Path(name) for name in CONFIGURATIONS])
        own = [record for record in records if record.machine == machine.name]
        series = build_series([one for one in own if one.source == RELEASES], order)
        advised = advise_on_releases(build_series(records, order), order.releases)
        print_answer(find_verdicts(series), advised, open_console())
    return series


def _check_measured(series: Sequence[Series]) -> None:
    """Raise an error if none of the releases could be measured."""
    found = [measured for one in series for measured in one.measurements]
    if all(measured.judgement.verdict is Verdict.NOT_RUN for measured in found):
        reasons = [measured.judgement.reason for measured in found]
        reason = " ".join(next(filter(None, reversed(reasons)), "nothing ran").split())
        raise CouldNotMeasureError(
            f"no release could be measured with Python {describe_python()} on this platform "
            f"({reason[:300]}); try another Python"
        )


def _measure_and_publish(machine: Machine, log_path: Path | None, *, all_releases: bool) -> Path:
    """Measure the releases that this machine and Python have not measured yet, and publish.

    Returns the page that answers. An asv that stops before the end is an error, and what it
    measured is published nevertheless.
    """
    table = load_release_table()
    releases = select_dashboard_releases(table)
    if all_releases:
        releases = [release for release in table if not release.is_yanked]
    commits = build_release_repository(table)
    configuration = load_configuration(Path(RELEASES_CONFIGURATION))
    # What another run is about to measure is not measured twice.
    wait_for_lock(configuration.results_dir, announce)
    waiting = {
        commits[release.upstream, release.version]: release
        for release in _find_unmeasured(releases, machine, configuration.results_dir)
    }
    measured = f"{len(releases) - len(waiting)} of them are" if len(waiting) < len(releases) else ""
    announce(
        f"{len(releases)} releases of numba and numba-cuda on {machine.name} with Python "
        f"{describe_python()}; {measured or 'none is'} measured"
    )
    if waiting:
        try:
            _measure(waiting, machine, configuration, log_path)
        except CouldNotMeasureError as error:
            with contextlib.suppress(NoResultsError):
                publish_site()
            raise CouldNotMeasureError(
                f"{error}; what was measured is kept, run the command again"
            ) from error
    announce("publishing")
    return publish_site()


def _measure(
    waiting: dict[str, Release],
    machine: Machine,
    configuration: Configuration,
    log_path: Path | None,
) -> None:
    if log_path:
        log_path.unlink(missing_ok=True)
        announce(f"asv prints into {log_path}")
    started_s = time.monotonic()
    names = {commit: f"{one.upstream} {one.version}" for commit, one in waiting.items()}
    progress = Progress(
        names, configuration.results_dir / machine.name, SPOOL_DIR / configuration.project
    )
    line = ProgressLine(progress, redraws=log_path is not None and can_redraw())
    try:
        with line:
            record_machine(machine)
            measure_commits(
                RELEASES_CONFIGURATION,
                machine.name,
                list(waiting),
                log_path=log_path,
                look=line.look,
            )
    except KeyboardInterrupt as interrupt:
        progress.look()
        raise KeyboardInterrupt(
            f"{progress.n_done} of {len(waiting)} releases are measured and kept, as are the "
            "finished batches of the next; the same command goes on from there"
        ) from interrupt
    announce(f"{progress.n_done} releases measured in {time.monotonic() - started_s:.0f} s")


def _find_unmeasured(
    releases: Sequence[Release], machine: Machine, results_dir: Path
) -> list[Release]:
    """Return the releases without complete evidence from this machine and Python."""
    measured = {
        (record.upstream, record.name)
        for record in iter_evidence(results_dir, announce)
        if record.machine == machine.name
        and record.python == describe_python()
        and record.is_complete
        and record.measurement_version == MEASUREMENT_VERSION
        # A kill right after the record leaves asv's own result out.
        and (results_dir / get_filename(record.machine, record.commit, record.environment)).exists()
    }
    return [release for release in releases if (release.upstream, release.version) not in measured]
