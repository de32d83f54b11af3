"""asv environments that install a release, or build a commit, with dependencies as of its date."""

from __future__ import annotations

import contextlib
import functools
import itertools
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from importlib.metadata import version as find_version
from pathlib import Path
from typing import Any, ClassVar

from asv import util
from asv.console import log
from asv.plugins.virtualenv import Virtualenv
from packaging.utils import parse_wheel_filename
from packaging.version import Version

from fixwatch.asv_adapter.preparation import Preparation
from fixwatch.errors import FixwatchError
from fixwatch.git import GitError
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.release_repository import read_release_commits
from fixwatch.history.release_table import Release, load_release_table
from fixwatch.installing.as_of import (
    Environment,
    IndexUnreachableError,
    NoSolutionError,
    Resolution,
    ResolutionError,
    install_exactly,
    resolve_as_of,
    shorten_output,
)
from fixwatch.installing.as_of_exceptions import find_commit_constraints, find_missing_requirements
from fixwatch.installing.builds import build_commit, find_build, install_commit
from fixwatch.installing.cuda_parts import (
    NO_CUDA_REQUIREMENTS,
    CudaRequirements,
    find_cuda_driver,
    find_cuda_requirements,
)
from fixwatch.layout import SPOOL_DIR
from fixwatch.records.evidence import evidence_path, load_evidence
from fixwatch.records.install_record import AVAILABILITY, BUILD, INSTALL, InstallRecord
from fixwatch.run_lock import hold_lock
from fixwatch.upstream_texts import parse_moment
from mwe.planned.plan import MORE_TRIALS_VARIABLE
from mwe.shield import cudasim_shield
from mwe.targets import SHIELD_VARIABLE, Target, find_configured_target

MAX_CREATIONS = 10
CREATION_PERIOD_S = 0.5
# What asv runs benchmarks with, the same version on both sides.
TOOL_PINS = (f"asv_runner=={find_version('asv_runner')}",)


class _InstallError(Exception):
    """A revision is not installed; the record says at which step, and why."""

    def __init__(self, record: InstallRecord) -> None:
        super().__init__(record.not_run_reason)
        self.record = record


class AsOfVirtualenv(Virtualenv):  # type: ignore[misc]
    """A virtualenv that takes dependencies as of a revision's date and never keeps a newer one.

    It serves under the name `virtualenv`, see `fixwatch.asv_adapter.plugin`. What was installed, or
    why not, is left in the environment as an `InstallRecord`.
    """

    tool_name = "virtualenv"
    # asv's Results know the name of their environment only.
    by_name: ClassVar[dict[str, AsOfVirtualenv]] = {}
    # What a run of asv goes through, in its order.
    queue: ClassVar[Sequence[str]] = ()

    def __init__(
        self,
        conf: Any,
        python: str,
        requirements: dict[str, str],
        tagged_env_vars: dict[tuple[str, str], str],
    ) -> None:
        super().__init__(conf, python, requirements, tagged_env_vars)
        if python == f"{sys.version_info[0]}.{sys.version_info[1]}":
            # asv takes the first pythonX.Y on the PATH, which need not be one that works.
            self._executable = sys.executable
        self._results_dir = Path(conf.results_dir)
        self._branch = conf.branches[0]
        self._settings: dict[str, Any] = getattr(conf, "fixwatch", {})
        self.spool_path = (SPOOL_DIR / conf.project).absolute()
        self._global_env_vars["ASV_FIXWATCH_SPOOL_DIR"] = str(self.spool_path)
        if os.name == "posix":
            # Elsewhere an environment's Python is a launcher, whose child runs the benchmarks.
            self._global_env_vars["ASV_FIXWATCH_PID"] = str(os.getpid())
        for name in ("batch_timeout_s", "trials"):
            if name in self._settings:
                self._global_env_vars[f"ASV_FIXWATCH_{name.upper()}"] = str(self._settings[name])
        for names in ("workloads", "schedules"):
            if names in self._settings:
                variable = f"ASV_FIXWATCH_{names.upper()}"
                self._global_env_vars[variable] = ",".join(self._settings[names])
        variables = {
            name: value for (kind, name), value in tagged_env_vars.items() if kind == "nobuild"
        }
        self._target = find_configured_target(variables)
        spare = Path(f"{self._path}-next")
        self._waiting_since: datetime | None = None
        self._preparation = Preparation(spare, Path(self._executable), variables)
        if self._target is not Target.SIMULATOR:
            # A toolkit of the machine's must not stand in for the one that is resolved.
            self._global_env_vars.update(CUDA_HOME="", CUDA_PATH="")
        self.is_shielded = tagged_env_vars.get(("nobuild", SHIELD_VARIABLE)) == "1"
        self.by_name[self.name] = self

    @property
    def source(self) -> str:
        """What the revisions are: ``releases`` or ``commits``."""
        return str(self._settings.get("source", "commits"))

    @property
    def path(self) -> Path:
        """The environment's folder."""
        return Path(self._path)

    @property
    def environment(self) -> Environment:
        """What revisions are installed into."""
        return Environment(self.path, Path(self.find_executable("python")))

    def create(self) -> None:
        """Create the environment if it is missing, once no other run uses it."""
        self._hold_lock()
        for attempt in range(MAX_CREATIONS):
            try:
                super().create()
                return
            except OSError as error:
                # The virtualenv of a run that was killed alone writes there a little longer.
                if attempt == MAX_CREATIONS - 1:
                    raise util.UserError(
                        f"cannot create an environment in {self._path}: {error}; "
                        "mend that and run the command again"
                    ) from error
                time.sleep(CREATION_PERIOD_S)

    def can_install_project(self) -> bool:
        """Say that it can; asv asks before it measures, so no other run may be at it."""
        self._hold_lock()
        return True

    def _hold_lock(self) -> None:
        if multiprocessing.parent_process() is not None:
            # One of asv's own helpers: the run that it belongs to holds the lock, or will.
            return
        try:
            hold_lock(self._results_dir, self._announce_waiting)
        except FixwatchError as error:
            raise util.UserError(str(error)) from error

    def _announce_waiting(self, line: str) -> None:
        self._waiting_since = datetime.now(timezone.utc).replace(microsecond=0)
        log.warning(line)

    def was_measured_meanwhile(self, commit_hash: str) -> bool:
        """Whether another run has measured a revision whole while this one waited for it."""
        if self._waiting_since is None or MORE_TRIALS_VARIABLE in os.environ:
            return False
        name = f"{commit_hash[:8]}-{self.name}.json"
        for path in self._results_dir.glob(f"*/{name}"):
            with contextlib.suppress(FixwatchError):
                record = load_evidence(evidence_path(path))
                if record.is_complete and parse_moment(record.measured_at) >= self._waiting_since:
                    return True
        return False

    def _setup(self) -> None:
        try:
            super()._setup()
        except util.ProcessError as error:
            reason = shorten_output(error.stderr or error.stdout).splitlines()
            raise util.UserError(
                f"cannot create an environment for {self._executable}: "
                f"{reason[-1] if reason else 'virtualenv gave no reason'}"
            ) from error

    def _install_requirements(self) -> None:
        # Everything is installed together with a revision; nothing may stay from one to the next.
        pass

    def install_project(self, _conf: Any, repo: Any, commit_hash: str) -> None:
        """Install a revision.

        One that can never be measured here, such as a release without a wheel for this Python,
        counts as installed: the benchmarks then report it as not applicable, with the reason in
        the record. A build or an install that fails is a `ProcessError`, so that asv can try it
        again; an index that cannot be reached is a `UserError`, which ends the run.
        """
        if self._get_installed_commit_hash() == commit_hash:
            self._set_commit_hash(commit_hash)
            return
        self._set_commit_hash(commit_hash)
        self._set_installed_commit_hash(None)
        try:
            self._install(repo, commit_hash)
        except (IndexUnreachableError, GitError) as error:
            raise util.UserError(str(error)) from error
        except OSError as error:
            raise util.UserError(
                f"cannot install {commit_hash[:8]}: {error}; what was measured is kept, "
                "mend that and run the command again"
            ) from error
        self._set_installed_commit_hash(commit_hash)
        following = self._find_next(commit_hash)
        if following is not None:
            fill = self._fill_with_release if self.source == "releases" else self._fill_with_commit
            self._preparation.start(following, functools.partial(fill, repo, following))

    def _install(self, repo: Any, commit_hash: str) -> None:
        """Fill the environment with a revision, and leave the record."""
        fill = self._fill_with_release if self.source == "releases" else self._fill_with_commit
        if self.source == "commits":
            repo.mirror.refresh_listing(self._results_dir, self._branch, [commit_hash], log.warning)
        try:
            record = self._preparation.take(commit_hash, self.environment) or fill(
                repo, commit_hash, self.environment
            )
        except _InstallError as error:
            record = error.record
            if record.not_run_stage == AVAILABILITY:
                log.warning(f"{record.upstream} {record.name}: {record.not_run_reason}")
                install_exactly(TOOL_PINS, self.path, self.environment.python)
        record.write(self.path)
        if record.not_run_stage is None:
            log.info(f"Installed {record.upstream} {record.name}")
        elif record.not_run_stage != AVAILABILITY:
            stage, reason = record.not_run_stage, record.not_run_reason
            log.error(f"{record.upstream} {record.name}: the {stage} failed\n{reason}")
            raise util.ProcessError([stage, record.commit], 1, "", reason)

    def _find_next(self, commit_hash: str) -> str | None:
        """Return what asv will want after a revision: the first after it without a result here."""
        after = itertools.dropwhile(commit_hash.__ne__, self.queue)
        for following in itertools.islice(after, 1, None):
            name = f"{following[:8]}-{self.name}.json"
            if not any(self._results_dir.glob(f"*/{name}")):
                return following
        return None

    def _fill_with_release(
        self, repo: Any, commit_hash: str, environment: Environment
    ) -> InstallRecord:
        """Install a release; one that can never be is an `_InstallError` too."""
        release = find_release(repo, commit_hash)
        record = InstallRecord(
            commit=commit_hash,
            upstream=release.upstream,
            name=release.version,
            date=release.uploaded_at.isoformat(),
        )
        python = tuple(int(part) for part in self._python.split("."))
        if not release.has_wheel_for((python[0], python[1])):
            reason = f"no wheel for CPython {self._python} on this platform ({sys.platform})"
            raise _InstallError(replace(record, not_run_stage=AVAILABILITY, not_run_reason=reason))
        parts = self._find_cuda_parts(release.upstream, Version(release.version))
        with _failing_at(record, INSTALL, no_solution=AVAILABILITY):
            resolution = _resolve_release(release, environment.python, parts)
            install_exactly([*resolution.pins, *TOOL_PINS], environment.path, environment.python)
        return self._complete(record, resolution)

    def _find_cuda_parts(self, upstream: str, version: Version) -> CudaRequirements:
        """Return what a revision needs besides for a device; nothing for the simulator.

        A compiler alone asks no driver, so that it is the same on every machine.
        """
        if self._target is Target.SIMULATOR:
            return NO_CUDA_REQUIREMENTS
        driver = find_cuda_driver() if self._target is Target.CUDA else None
        return find_cuda_requirements(upstream, version, driver)

    def _fill_with_commit(
        self, repo: Any, commit_hash: str, environment: Environment
    ) -> InstallRecord:
        """Install a commit, which is built first unless its wheel is there."""
        upstream = self._settings["upstream"]
        mirror: UpstreamMirror = repo.mirror
        committed_at = mirror.get_committer_date(commit_hash)
        record = InstallRecord(
            commit=commit_hash,
            upstream=upstream,
            name=mirror.name_commit(commit_hash),
            date=committed_at.isoformat(),
        )
        constraints = find_commit_constraints(upstream, committed_at)
        cached = self._cache.get_cache_dir(commit_hash)
        build = find_build(Path(cached), constraints, environment.python) if cached else None
        if build is None:
            source = environment.path / "project"
            with _failing_at(record, BUILD):
                repo.checkout(str(source), commit_hash)
                folder = Path(self._cache.create_cache_dir(commit_hash))
                build = build_commit(source, folder, committed_at, constraints, environment)
            self._cache.finalize_cache_dir(commit_hash)
            cached = self._cache.get_cache_dir(commit_hash)
        wheel = Path(cached) / build.wheel
        record = replace(record, build_packages=build.packages, extensions=build.extensions)
        _, version, _, _ = parse_wheel_filename(wheel.name)
        parts = self._find_cuda_parts(upstream, version)
        with _failing_at(record, INSTALL):
            resolution = install_commit(
                upstream, wheel, committed_at, environment, parts, TOOL_PINS
            )
        return self._complete(record, resolution)

    def _complete(self, record: InstallRecord, resolution: Resolution) -> InstallRecord:
        as_of = resolution.as_of.astimezone(timezone.utc).isoformat()
        # Which was not resolved, and still decides what is measured.
        shield = {cudasim_shield.NAME: cudasim_shield.VERSION} if self.is_shielded else {}
        packages = {**resolution.packages, **shield}
        return replace(record, packages=packages, resolved_as_of=as_of)


def _resolve_release(release: Release, python: Path, parts: CudaRequirements) -> Resolution:
    """Resolve a release with the dependencies of its upload day, and parts for a device.

    The release itself is exempt, because its files arrive over minutes.
    """
    requirements = [
        f"{parts.name(release.upstream)}=={release.version}",
        *parts.requirements,
        *find_missing_requirements(release.upstream, release.version),
    ]
    return resolve_as_of(
        requirements,
        release.resolved_as_of,
        python,
        constraints=parts.constraints,
        exempt=[release.upstream],
    )


@contextlib.contextmanager
def _failing_at(
    record: InstallRecord, stage: str, no_solution: str | None = None
) -> Iterator[None]:
    """Turn what fails in this block into an `_InstallError` at a step.

    `no_solution` is the step where no set of packages fits a release. Of a commit that may change,
    because some of its dependencies are taken as of today.
    """
    try:
        yield
    except (ResolutionError, util.ProcessError) as error:
        if no_solution and isinstance(error, NoSolutionError):
            stage = no_solution
        output = error.stderr if isinstance(error, util.ProcessError) else str(error)
        reason = shorten_output(output or str(error))
        raise _InstallError(replace(record, not_run_stage=stage, not_run_reason=reason)) from error


def find_release(repo: Any, commit_hash: str) -> Release:
    """Return the table's release of a commit of the release history."""
    upstream, version = read_release_commits(repo.repository.folder)[commit_hash]
    for release in load_release_table():
        if (release.upstream, release.version) == (upstream, version):
            return release
    raise util.UserError(f"{upstream} {version} is not in the table of releases; restore the table")
