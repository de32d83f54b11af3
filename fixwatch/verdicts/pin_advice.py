"""Which released versions may be pinned."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from packaging.version import Version

from fixwatch.history.release_table import Release
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.statistics.change_points import MIN_PROBABILITY
from fixwatch.verdicts.assessment import JudgedRevision
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.explorations import summarise_explorations
from fixwatch.verdicts.judgements import Verdict, combine_verdicts
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.targets import SIMULATOR


@dataclass(frozen=True, kw_only=True)
class ReleaseAssessment:
    """A released version, and what all its measurements together say."""

    version: str
    date: str
    verdict: Verdict  # not observed only where the whole history, too, takes it for clean
    counts: Counts | None  # under the schedules that decide, over all workloads
    explored: str  # what explorations show, in a few words; nothing where there was none
    workloads: tuple[str, ...]  # those that were observed to fail

    @property
    def may_be_pinned(self) -> bool:
        """Whether it is known not to be affected."""
        return self.verdict is Verdict.NOT_OBSERVED


@dataclass(frozen=True, kw_only=True)
class UpstreamReleases:
    """The released versions of an upstream, newest first, and in one line what may be pinned."""

    upstream: str
    releases: tuple[ReleaseAssessment, ...]
    advice: str


def advise_on_releases(
    all_series: Sequence[Series], table: Iterable[Release]
) -> list[UpstreamReleases]:
    """Say of the released versions of each upstream which may be pinned.

    The releases of the package index count where they were measured, else the commits of release
    tags; of these only those in the table of uploads, as a tag alone can be pinned by nobody. A
    version may be pinned only if every workload was silent, and an affected version would have
    failed.
    """
    uploaded = {
        (release.upstream, release.parsed_version) for release in table if not release.is_yanked
    }
    grouped: dict[str, dict[str, list[Series]]] = defaultdict(lambda: defaultdict(list))
    for series in all_series:
        if series.role == WORKLOAD and series.key.target == SIMULATOR:
            grouped[series.key.upstream][series.key.source].append(series)
    advised = []
    for upstream, by_source in sorted(grouped.items()):
        source = "releases" if "releases" in by_source else "commits"
        if releases := _assess_releases(by_source[source], uploaded):
            advice = _advise(upstream, releases, uploaded)
            advised.append(UpstreamReleases(upstream=upstream, releases=releases, advice=advice))
    return advised


def _assess_releases(
    all_series: Sequence[Series], uploaded: Collection[tuple[str, Version]]
) -> tuple[ReleaseAssessment, ...]:
    by_version: dict[Version, list[tuple[Verdict, JudgedRevision]]] = defaultdict(list)
    for series in all_series:
        for revision, odds in zip(series.revisions, series.history.affected, strict=True):
            version, verdict = revision.record.version, revision.verdict
            if version is None or (series.key.upstream, version) not in uploaded:
                continue
            if verdict is Verdict.NOT_OBSERVED and (odds or 0.0) > 1 - MIN_PROBABILITY:
                verdict = Verdict.INCONCLUSIVE
            by_version[version].append((verdict, revision))
    return tuple(_merge(str(key), by_version[key]) for key in sorted(by_version, reverse=True))


def _merge(version: str, judged: Sequence[tuple[Verdict, JudgedRevision]]) -> ReleaseAssessment:
    """Return what a version shows over all workloads, machines and Pythons."""
    return ReleaseAssessment(
        version=version,
        date=judged[0][1].record.date,
        verdict=combine_verdicts([verdict for verdict, _ in judged]),
        counts=pool_counts(revision.counts for _, revision in judged if revision.counts),
        explored=summarise_explorations(
            batch for _, revision in judged for batch in revision.explorations
        ),
        workloads=tuple(
            sorted({found.workload for verdict, found in judged if verdict is Verdict.OBSERVED})
        ),
    )


def _advise(
    upstream: str,
    releases: Sequence[ReleaseAssessment],
    uploaded: Collection[tuple[str, Version]],
) -> str:
    newest_clean = list(itertools.takewhile(lambda release: release.may_be_pinned, releases))
    if newest_clean:
        newest, oldest = newest_clean[0].version, newest_clean[-1].version
        between = [
            version
            for name, version in uploaded
            if name == upstream and Version(oldest) < version < Version(newest)
        ]
        n_missing = len(between) - max(0, len(newest_clean) - 2)
        missing = f"; {n_missing} between them were not measured" if n_missing else ""
        return (
            f"{upstream} >= {oldest} may be pinned: every measured release from there to {newest} "
            f"is not affected{missing}"
        )
    clean = [release.version for release in releases if release.may_be_pinned]
    if clean:
        return f"only these releases of {upstream} may be pinned: {', '.join(clean)}"
    return f"no measured release of {upstream} may be pinned"
