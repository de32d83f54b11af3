"""Which released versions may be pinned."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from packaging.version import Version

from fixwatch.history.release_table import Release as UploadedRelease
from fixwatch.statistics.states import MIN_PROBABILITY
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR


class Safety(str, Enum):
    """What is known of a released version."""

    SAFE = "not affected"
    AFFECTED = "affected"
    UNKNOWN = "not known"


@dataclass(frozen=True, kw_only=True)
class Release:
    """A released version, and what all its measurements together say.

    Attributes
    ----------
    commit
        Of the revision that was measured.
    n_failures, n_trials
        Under the schedules that decide, over all workloads.
    workloads
        Those that were observed to fail.
    """

    version: str
    date: str
    commit: str
    safety: Safety
    n_failures: int
    n_trials: int
    workloads: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class UpstreamReleases:
    """The released versions of an upstream, newest first.

    Attributes
    ----------
    advice
        In one line what may be pinned.
    """

    upstream: str
    source: str
    releases: tuple[Release, ...]
    advice: str


def find_safe_releases(
    series: Sequence[Series], table: Iterable[UploadedRelease]
) -> list[UpstreamReleases]:
    """Judge the released versions of each upstream over all its workloads.

    The releases of the package index count where they were measured, else the commits of release
    tags. A version is safe only if every workload was silent, and would have shown.

    Parameters
    ----------
    series
        Of any upstream, source and workload.
    table
        What was uploaded; a tag alone can be pinned by nobody.
    """
    uploaded = {
        (release.upstream, release.parsed_version) for release in table if not release.is_yanked
    }
    grouped: dict[str, dict[str, list[Series]]] = defaultdict(lambda: defaultdict(list))
    for each in series:
        if each.role == WORKLOAD and each.key.target == SIMULATOR:
            grouped[each.key.upstream][each.key.source].append(each)
    found = []
    for upstream, by_source in sorted(grouped.items()):
        source = "releases" if "releases" in by_source else "commits"
        releases = _judge_releases(by_source[source], uploaded)
        if releases:
            found.append(
                UpstreamReleases(
                    upstream=upstream,
                    source=source,
                    releases=releases,
                    advice=_advise(upstream, releases, uploaded),
                )
            )
    return found


def _judge_releases(
    series: Sequence[Series], uploaded: Collection[tuple[str, Version]]
) -> tuple[Release, ...]:
    by_version: dict[Version, list[Release]] = defaultdict(list)
    for each in series:
        for index, record in enumerate(each.revisions):
            version = record.version
            if version is None or (each.key.upstream, version) not in uploaded:
                continue
            measurements = [m for m in each.measurements_of(record) if m.decides]
            counts = [m.counts for m in measurements if m.counts]
            verdicts = [m.judgement.verdict for m in measurements]
            probability = each.history.affected[index]
            is_clean = probability is None or probability <= 1 - MIN_PROBABILITY
            if Verdict.OBSERVED in verdicts:
                safety = Safety.AFFECTED
            elif verdicts and set(verdicts) == {Verdict.NOT_OBSERVED} and is_clean:
                safety = Safety.SAFE
            else:
                safety = Safety.UNKNOWN
            by_version[version].append(
                Release(
                    version=str(version),
                    date=record.date,
                    commit=record.commit,
                    safety=safety,
                    n_failures=sum(count.n_failures for count in counts),
                    n_trials=sum(count.n_trials for count in counts),
                    workloads=(each.key.workload,) if safety is Safety.AFFECTED else (),
                )
            )
    return tuple(_merge(by_version[version]) for version in sorted(by_version, reverse=True))


def _merge(parts: Sequence[Release]) -> Release:
    """Return one version's result over all workloads, machines and Pythons: the worst decides."""
    safeties = {part.safety for part in parts}
    worst = next(
        each for each in (Safety.AFFECTED, Safety.UNKNOWN, Safety.SAFE) if each in safeties
    )
    return Release(
        version=parts[0].version,
        date=parts[0].date,
        commit=parts[0].commit,
        safety=worst,
        n_failures=sum(part.n_failures for part in parts),
        n_trials=sum(part.n_trials for part in parts),
        workloads=tuple(sorted({name for part in parts for name in part.workloads})),
    )


def _advise(
    upstream: str,
    releases: Sequence[Release],
    uploaded: Collection[tuple[str, Version]],
) -> str:
    safe = list(itertools.takewhile(_is_safe, releases))
    if safe:
        newest, oldest = safe[0].version, safe[-1].version
        between = [
            version
            for name, version in uploaded
            if name == upstream and Version(oldest) < version < Version(newest)
        ]
        n_missing = len(between) - max(0, len(safe) - 2)
        missing = f"; {n_missing} between them were not measured" if n_missing else ""
        return (
            f"{upstream} >= {oldest} may be pinned: every measured release from there to {newest} "
            f"is not affected{missing}"
        )
    others = [each.version for each in releases if _is_safe(each)]
    if others:
        return f"only these releases of {upstream} may be pinned: {', '.join(others)}"
    return f"no measured release of {upstream} may be pinned"


def _is_safe(release: Release) -> bool:
    return release.safety is Safety.SAFE
