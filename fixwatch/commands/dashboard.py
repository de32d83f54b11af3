"""The command ``dashboard``: measure releases here and now, publish, and print the status."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path

from asv.results import get_filename

from fixwatch.asv_adapter.command import measure_commits, record_machine
from fixwatch.commands.command_line import Subparsers, announce, open_console
from fixwatch.commands.publish import publish_site
from fixwatch.commands.status import load_series
from fixwatch.configuration import load_configuration
from fixwatch.errors import CouldNotMeasureError, NoResultsError
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import Release, load_release_table, select_dashboard_releases
from fixwatch.layout import RELEASES_CONFIGURATION
from fixwatch.machine import Machine, describe_machine, describe_python
from fixwatch.records.evidence import iter_evidence
from fixwatch.report.table import print_status
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.states import State
from mwe.planned.plan import MEASUREMENT_VERSION


def add_parser(subparsers: Subparsers) -> argparse.ArgumentParser:
    """Declare the command."""
    parser = subparsers.add_parser(
        "dashboard", help="measure releases on this machine, publish html/, print the status"
    )
    parser.add_argument(
        "--all", action="store_true", help="every release, not a selection of about twenty"
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Measure, publish, and print what this machine has measured, even where that was cut short."""
    machine = describe_machine()
    series: list[Series] = []
    try:
        _measure_releases(machine, all_releases=options.all)
    finally:
        # Results that were copied from elsewhere are not this machine's answer.
        with contextlib.suppress(NoResultsError):
            series, _ = load_series([Path(RELEASES_CONFIGURATION)], machine.name)
            print_status(series, open_console())
    if all(one.state.state is State.NOT_RUN for one in series):
        raise CouldNotMeasureError(
            f"no release could be measured with Python {describe_python()} on this platform, "
            "the table says why; try another Python"
        )
    return 0


def _measure_releases(machine: Machine, *, all_releases: bool) -> None:
    """Measure the releases that this machine and Python have not measured yet, and publish.

    An asv that stops before the end is an error, and what it measured is published nevertheless.
    """
    table = load_release_table()
    releases = select_dashboard_releases(table)
    if all_releases:
        releases = [release for release in table if not release.is_yanked]
    commits = build_release_repository(table)
    results_dir = load_configuration(Path(RELEASES_CONFIGURATION)).results_dir
    waiting = [
        commits[release.upstream, release.version]
        for release in _find_unmeasured(releases, machine, results_dir)
    ]
    announce(
        f"{len(releases)} releases of numba and numba-cuda, {len(waiting)} of them not yet "
        f"measured on {machine.name} with Python {describe_python()}"
    )
    failures = []
    if waiting:
        record_machine(machine)
        try:
            measure_commits(RELEASES_CONFIGURATION, machine.name, waiting)
        except CouldNotMeasureError as error:
            failures.append(str(error))
    if next(iter_evidence(results_dir), None):
        announce(f"open {publish_site()}, or all of it with: .venv/bin/asv preview")
    if failures:
        raise CouldNotMeasureError(
            f"{failures[0]}; what was measured is kept, run the command again"
        )


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
