"""``make dashboard``: measure releases here and now, publish, and say what came out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from asv.results import get_filename

from fixwatch.asv_adapter.command import record_machine, run_asv
from fixwatch.asv_adapter.release_repository import build_release_repository, read_release_commits
from fixwatch.asv_adapter.site_assets import install_site_assets
from fixwatch.configuration import load_configuration
from fixwatch.errors import CouldNotMeasureError
from fixwatch.history.release_table import Release, load_release_table, select_dashboard_releases
from fixwatch.layout import MEASUREMENT_VERSION_PATH, RELEASES_CONFIGURATION, STATE_DIR
from fixwatch.machine import Machine
from fixwatch.records.evidence import Evidence, iter_evidence

Announce = Callable[[str], None]


def measure_releases(machine: Machine, *, all_releases: bool, announce: Announce) -> None:
    """Measure the releases that this machine and Python have not measured yet, and publish.

    Parameters
    ----------
    machine
        This one.
    all_releases
        Every release in the table instead of the selection.
    announce
        Called with a line for each step.

    Raises
    ------
    CouldNotMeasureError
        If asv stopped before the end, or publishing failed. What was measured is kept and, if
        there is any, published.
    """
    table = load_release_table()
    releases = select_dashboard_releases(table)
    if all_releases:
        releases = [release for release in table if not release.is_yanked]
    repository = STATE_DIR / "releases.git"
    build_release_repository(table, repository)
    commits = {key: commit for commit, key in read_release_commits(repository).items()}
    waiting = [
        commits[release.upstream, release.version] for release in find_unmeasured(releases, machine)
    ]
    announce(
        f"{len(releases)} releases of numba and numba-cuda, {len(waiting)} of them not yet "
        f"measured on {machine.name} with Python {_python_version()}"
    )
    failure = None
    if waiting:
        record_machine(machine)
        status = run_asv(
            RELEASES_CONFIGURATION,
            ["run", "--machine", machine.name, "HASHFILE:-"],
            "\n".join(waiting),
        )
        # asv exits with 2 when it went through but something failed; the table says what.
        if status not in (0, 2):
            failure = f"asv run stopped with status {status}, see above"
    if any(
        True for _ in iter_evidence(load_configuration(Path(RELEASES_CONFIGURATION)).results_dir)
    ):
        install_site_assets(announce)
        announce("publishing to html/")
        if run_asv(RELEASES_CONFIGURATION, ["publish", "--no-pull"]):
            failure = failure or "asv publish failed, see above"
        announce("open html/fix-status.html, or all of it with: .venv/bin/asv preview")
    if failure:
        raise CouldNotMeasureError(f"{failure}; what was measured is kept, run the command again")


def find_unmeasured(releases: Sequence[Release], machine: Machine) -> list[Release]:
    """Return the releases without complete evidence from this machine and Python."""
    results_dir = load_configuration(Path(RELEASES_CONFIGURATION)).results_dir
    current = MEASUREMENT_VERSION_PATH.read_text(encoding="utf-8").strip()
    measured = {
        (evidence.upstream, evidence.name)
        for evidence in iter_evidence(results_dir, lambda line: print(line, file=sys.stderr))
        if evidence.machine == machine.name
        and evidence.python == _python_version()
        and evidence.is_complete
        and evidence.measurement_version == current
        and _has_asv_result(results_dir, evidence)
    }
    return [each for each in releases if (each.upstream, each.version) not in measured]


def _has_asv_result(results_dir: Path, evidence: Evidence) -> bool:
    """Whether asv's own result stands beside the evidence; a kill in between leaves it out."""
    path = results_dir / get_filename(evidence.machine, evidence.commit, evidence.environment)
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _python_version() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"
