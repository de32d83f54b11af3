"""What a look has to measure: what is new, and what says that the machine can be relied on."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from asv.environment import get_env_name

from fixwatch.commands.check.comparison import NEGATIVE_CONTROL, POSITIVE_CONTROL
from fixwatch.commands.check.recorded import Known
from fixwatch.configuration import load_configuration
from fixwatch.errors import FixwatchError
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.package_index import fetch_releases
from fixwatch.history.release_repository import build_release_repository
from fixwatch.history.release_table import (
    FIRST_VERSIONS,
    Release,
    load_release_table,
    refresh_release_table,
    save_release_table,
)
from fixwatch.machine import describe_python
from fixwatch.records.evidence import Evidence
from fixwatch.records.plans import AskedRevision, LookedAtRevision, Plan, PlannedRelease
from fixwatch.upstream_texts import parse_moment
from fixwatch.verdicts.defects import find_verdicts, list_defects
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.targets import SIMULATOR
from mwe.planned.plan import MEASUREMENT_VERSION

Announce = Callable[[str], None]

# Of a look: a job measures so many in an hour. What is left over is the next look's.
MAX_NEW = 60
RELEASES_FOLDER = "releases"
# As the configurations of the simulator's histories have them, for asv's name of the environment.
SIMULATOR_VARIABLES = {("nobuild", "NUMBA_ENABLE_CUDASIM"): "1"}


@dataclass(frozen=True)
class _Revision:
    """A revision of a history, by the results folder that it belongs to."""

    folder: str
    upstream: str
    commit: str


class _Histories:
    """The histories of some upstreams as they are now."""

    def __init__(self, configurations: Sequence[str], announce: Announce) -> None:
        self.announce = announce
        self.table = load_release_table()
        found = [release for upstream in FIRST_VERSIONS for release in fetch_releases(upstream)]
        self.refreshed = refresh_release_table(self.table, found)
        announce(f"{len(self.refreshed) - len(self.table)} new releases on the package index")
        if self.refreshed != self.table:
            save_release_table(self.refreshed)
        self.commits = build_release_repository(self.refreshed)
        self.mirrors = {}
        for name in configurations:
            configuration = load_configuration(Path(name))
            mirror = UpstreamMirror(configuration.repository, configuration.project, announce)
            mirror.pull(announce)
            self.mirrors[configuration.project] = mirror, configuration.branch

    def find_newest(self) -> list[LookedAtRevision]:
        """Return the newest commit and the newest release of each upstream."""
        found = []
        for upstream, (mirror, branch) in self.mirrors.items():
            commit = _Revision(upstream, upstream, mirror.resolve(branch))
            release = self.find_release(*find_newest(self.refreshed, upstream))
            found += [_look_at(commit, "newest commit"), _look_at(release, "newest release")]
        return found

    def find_new(self, known: Known) -> list[_Revision]:
        """Return what no machine has measured: relevant commits and releases, newest first."""
        measured = {(record.upstream, record.commit) for record in known.records}
        found: dict[_Revision, datetime] = {}
        for upstream, (mirror, branch) in self.mirrors.items():
            found |= {
                _Revision(upstream, upstream, listed.commit): parse_moment(listed.date)
                for listed in mirror.list_history(branch).commits
                if listed.reasons
            }
            found |= {
                self.find_release(upstream, release.version): release.uploaded_at
                for release in self.refreshed
                if release.upstream == upstream and not release.is_yanked
            }
        new = [one for one in found if (one.upstream, one.commit) not in measured]
        return sorted(new, key=found.__getitem__, reverse=True)

    def find_release(self, upstream: str, version: str) -> _Revision:
        """Return a release of the table."""
        return _Revision(RELEASES_FOLDER, upstream, self.commits[upstream, version])

    def has(self, record: Evidence) -> bool:
        """Whether the revision of a record is in its history: whoever wrote it may have erred."""
        if record.source == "releases":
            return record.commit in self.commits.values()
        try:
            self.mirrors[record.upstream][0].resolve(record.commit)
        except FixwatchError:
            return False
        return True

    def ask_for(self, revision: _Revision) -> AskedRevision:
        """Return a revision as it is asked for, with its name and date."""
        if revision.folder == RELEASES_FOLDER:
            by_commit = {commit: key for key, commit in self.commits.items()}
            key = by_commit[revision.commit]
            release = next(row for row in self.refreshed if (row.upstream, row.version) == key)
            date = release.uploaded_at.isoformat()
            return AskedRevision(**vars(revision), name=release.version, date=date)
        return _ask_for_commit(revision, self.mirrors[revision.upstream][0])

    def describe_new_rows(self) -> tuple[PlannedRelease, ...]:
        """Return the rows of the table of releases that are new, or have changed."""
        return tuple(
            PlannedRelease(
                upstream=release.upstream,
                version=release.version,
                uploaded_at=release.uploaded_at.astimezone(timezone.utc).isoformat(),
                wheel_tags=release.wheel_tags,
                is_yanked=release.is_yanked,
            )
            for release in self.refreshed
            if release not in self.table
        )


def plan_look(
    machine: str,
    configurations: Sequence[str],
    known: Known,
    announce: Announce,
    max_new: int = MAX_NEW,
) -> Plan:
    """Return what a look at the upstreams has to measure on a machine, and what it judges.

    That is the newest commit and release of each upstream, and of controls a release that must fail
    and one that must not, unless this machine has them; and the newest `max_new` of what no machine
    has measured, relevant commits and releases. Where there is any of these the controls are
    measured again as a check of this machine, and of each history in which it has measured no
    affected revision the newest one.

    Raises
    ------
    CouldNotMeasureError
        If the package index cannot be reached.
    FixwatchError
        If a repository cannot be.
    """
    histories = _Histories(configurations, announce)
    here = {
        (record.upstream, record.commit)
        for record in known.records
        if (record.machine, record.python) == (machine, describe_python())
        and record.measurement_version in (None, MEASUREMENT_VERSION)
        and record.is_complete
    }
    newest, controls = histories.find_newest(), _find_controls(known, histories)
    missing = [one for one in [*newest, *controls] if (one.upstream, one.commit) not in here]
    new = histories.find_new(known)
    if len(new) > max_new > 0:
        announce(f"{len(new) - max_new} new revisions are left for the next look")
    asked = dict.fromkeys([*map(_revision_of, missing), *new[:max_new]])
    if asked:
        sample = [*map(_revision_of, controls), *_find_bridges(known, here, histories)]
        asked |= dict.fromkeys(sample)
    return _new_plan(
        machine,
        asked=tuple(map(histories.ask_for, asked)),
        looked_at=(*newest, *controls),
        releases=histories.describe_new_rows(),
    )


def plan_scan(machine: str, folder: str, mirror: UpstreamMirror, shards: Sequence[Any]) -> Plan:
    """Return what the shards of a scan are asked for, as `plan_shards` divides it among them."""
    asked = [
        replace(_ask_for_commit(_Revision(folder, mirror.upstream, commit), mirror), shard=number)
        for number, commits in ((shard["shard"], shard["commits"].split()) for shard in shards)
        for commit in commits
    ]
    return _new_plan(machine, asked=tuple(asked))


def _new_plan(machine: str, **values: Any) -> Plan:
    python = describe_python()
    return Plan(
        nonce=secrets.token_hex(16),
        machine=machine,
        environment=get_env_name("virtualenv", python, {}, SIMULATOR_VARIABLES),
        python=python,
        measurement_version=MEASUREMENT_VERSION,
        **values,
    )


def _ask_for_commit(revision: _Revision, mirror: UpstreamMirror) -> AskedRevision:
    name = mirror.name_commit(revision.commit)
    date = mirror.get_committer_date(revision.commit).isoformat()
    return AskedRevision(**vars(revision), name=name, date=date)


def take_planned_releases(plan: Plan) -> None:
    """Bring the table of releases up to date with what the planning job was told by the index."""
    if plan.releases:
        found = [
            Release(
                upstream=row.upstream,
                version=row.version,
                uploaded_at=parse_moment(row.uploaded_at),
                wheel_tags=row.wheel_tags,
                is_yanked=row.is_yanked,
            )
            for row in plan.releases
        ]
        save_release_table(refresh_release_table(load_release_table(), found))


def find_newest(table: Sequence[Release], upstream: str) -> tuple[str, str]:
    """Return upstream and version of the highest release that was not yanked."""
    own = [release for release in table if release.upstream == upstream and not release.is_yanked]
    return upstream, max(own, key=lambda release: release.parsed_version).version


def keep_current(plan: Plan) -> Plan:
    """Return a plan without releases that have another commit in this checkout's table.

    That is so where the table got another release in between; they are planned anew.
    """
    commits = build_release_repository(load_release_table())
    return replace(
        plan,
        asked=tuple(
            one
            for one in plan.asked
            if one.folder != RELEASES_FOLDER or commits.get((one.upstream, one.name)) == one.commit
        ),
    )


def _look_at(revision: _Revision, kind: str) -> LookedAtRevision:
    defects = tuple(list_defects(SIMULATOR))
    return LookedAtRevision(**vars(revision), kind=kind, defects=defects)


def _revision_of(looked_at: LookedAtRevision) -> _Revision:
    return _Revision(looked_at.folder, looked_at.upstream, looked_at.commit)


def _find_controls(known: Known, histories: _Histories) -> list[LookedAtRevision]:
    """Return the releases that must show a defect, and those that must not, with the defects."""
    controls: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for row in known.recorded:
        for kind, name in (
            (POSITIVE_CONTROL, row.positive_control),
            (NEGATIVE_CONTROL, row.negative_control),
        ):
            if name is not None and row.upstream in histories.mirrors:
                controls[name, kind][row.defect] = None
    return [
        LookedAtRevision(
            **vars(histories.find_release(*name.split(" "))), kind=kind, defects=tuple(defects)
        )
        for (name, kind), defects in controls.items()
    ]


def _find_bridges(
    known: Known, here: Container[tuple[str, str]], histories: _Histories
) -> list[_Revision]:
    """Return old revisions that tie what a machine measures to the histories of others.

    Of each history in which this one has measured no affected revision, the newest. How often that
    fails here says what silence here is worth.
    """
    bridges = []
    for verdict in find_verdicts(known.series):
        for history in verdict.histories:
            affected = [
                revision.record
                for revision in history.speaker.revisions
                if revision.verdict is Verdict.OBSERVED
            ]
            is_ours = (verdict.target, history.speaker.key.python) == (SIMULATOR, describe_python())
            is_tied = any((one.upstream, one.commit) in here for one in affected)
            if is_ours and not is_tied and verdict.upstream in histories.mirrors:
                newest = next(filter(histories.has, reversed(affected)), None)
                bridges += [newest] if newest else []
    return [
        _Revision(
            RELEASES_FOLDER if one.source == "releases" else one.upstream, one.upstream, one.commit
        )
        for one in bridges
    ]
