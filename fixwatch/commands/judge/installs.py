"""Building a snapshot, and installing it into an environment of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timezone
from pathlib import Path

from fixwatch.commands.judge.snapshots import Snapshot, SnapshotRepository
from fixwatch.git import check_out
from fixwatch.installing.as_of import (
    Environment,
    NoSolutionError,
    ResolutionError,
    shorten_output,
)
from fixwatch.installing.as_of_exceptions import find_commit_constraints
from fixwatch.installing.builds import Build, build_commit, find_build, install_commit
from fixwatch.layout import STATE_DIR
from fixwatch.records.install_record import BUILD, INSTALL, InstallRecord

JUDGE_DIR = STATE_DIR / "judge"
WHEELS_DIR = JUDGE_DIR / "wheels"
# Of different contents; the oldest go first.
MAX_KEPT_WHEELS = 30


def install_snapshot(
    snapshot: Snapshot,
    repository: SnapshotRepository,
    environment: Environment,
    announce: Callable[[str], None],
) -> InstallRecord:
    """Build a snapshot unless that was done before, and install it with packages of its date.

    Return what was installed as of when, or the step that failed and how.

    Raises
    ------
    IndexUnreachableError
        If the package index cannot be reached.
    """
    record = InstallRecord(
        commit=snapshot.commit,
        upstream=snapshot.upstream,
        name=snapshot.label,
        date=snapshot.date.isoformat(),
    )
    stage = BUILD
    try:
        wheels, build = _find_or_build(snapshot, repository, environment, announce)
        record = replace(record, build_packages=build.packages, extensions=build.extensions)
        stage = INSTALL
        wheel = wheels / build.wheel
        resolution = install_commit(snapshot.upstream, wheel, snapshot.date, environment)
    except ResolutionError as error:
        reason = shorten_output(str(error))
        if isinstance(error, NoSolutionError):
            reason = f"{reason}\n(packages as of {snapshot.date:%Y-%m-%d})"
        record = replace(record, not_run_stage=stage, not_run_reason=reason)
    else:
        as_of = resolution.as_of.astimezone(timezone.utc).isoformat()
        record = replace(record, packages=resolution.packages, resolved_as_of=as_of)
    return record


def _find_or_build(
    snapshot: Snapshot,
    repository: SnapshotRepository,
    environment: Environment,
    announce: Callable[[str], None],
) -> tuple[Path, Build]:
    constraints = find_commit_constraints(snapshot.upstream, snapshot.date)
    folder = (WHEELS_DIR / snapshot.commit).absolute()
    build = find_build(folder, constraints, environment.python)
    if build is not None:
        announce(f"{snapshot.label}: built before")
        return folder, build
    announce(f"{snapshot.label}: building")
    # A build that was killed leaves a folder without a description.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _drop_oldest_wheels()
    check_out(repository.source, snapshot.commit)
    build = build_commit(repository.source, folder, snapshot.date, constraints, environment)
    return folder, build


def _drop_oldest_wheels() -> None:
    folders = sorted(WHEELS_DIR.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in folders[MAX_KEPT_WHEELS:]:
        shutil.rmtree(folder, ignore_errors=True)
