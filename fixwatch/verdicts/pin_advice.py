"""Which released versions are free of which defects."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from fixwatch.history.release_table import Release
from fixwatch.statistics.binomial import Counts, pool_counts
from fixwatch.statistics.change_points import MIN_PROBABILITY
from fixwatch.verdicts.assessment import JudgedRevision, combine_workloads
from fixwatch.verdicts.controls import WORKLOAD
from fixwatch.verdicts.defects import list_defects
from fixwatch.verdicts.explorations import summarise_explorations
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.states import State
from fixwatch.verdicts.targets import SIMULATOR


@dataclass(frozen=True, kw_only=True)
class DefectInRelease:
    """What all measurements of a released version together say of a defect."""

    verdict: Verdict  # not observed only where the whole history, too, takes it for clean
    counts: Counts | None = None  # under the schedules that decide, over all workloads
    explored: str = ""  # what explorations show, in a few words; nothing where there was none
    workloads: tuple[str, ...] = ()  # those that were observed to fail
    n_workloads: int = 0  # that were run
    is_refused: bool = False  # whether upstream refuses such launches, with an error that says so


_NOT_MEASURED = DefectInRelease(verdict=Verdict.NOT_RUN)


@dataclass(frozen=True, kw_only=True)
class ReleaseAssessment:
    """A released version, and what is known of each defect in it."""

    version: str
    date: str
    defects: Mapping[str, DefectInRelease]

    def find(self, defect: str) -> DefectInRelease:
        """Return what is known of a defect, which may be that it was not measured."""
        return self.defects.get(defect, _NOT_MEASURED)

    def is_free_of(self, defect: str) -> bool:
        """Whether it is known not to have a defect."""
        return self.find(defect).verdict is Verdict.NOT_OBSERVED


@dataclass(frozen=True, kw_only=True)
class UpstreamReleases:
    """The measured releases of an upstream, newest first, and what is known of each."""

    upstream: str
    defects: tuple[str, ...]  # that are looked for
    releases: tuple[ReleaseAssessment, ...]
    uploaded: tuple[Version, ...]  # measured or not

    def find_free_runs(self, *defects: str) -> list[list[ReleaseAssessment]]:
        """Return the releases without any of some defects, newest first.

        A run ends where the next measured release is not known to be free of them.
        """
        return [
            list(run)
            for is_free, run in itertools.groupby(
                self.releases, key=lambda release: all(map(release.is_free_of, defects))
            )
            if is_free
        ]

    def find_free_from(self, *defects: str) -> list[ReleaseAssessment]:
        """Return the newest releases without any of some defects; none if the newest has one."""
        runs = self.find_free_runs(*defects)
        return runs[0] if runs and runs[0][0] is self.releases[0] else []

    def count_unmeasured(self, run: Sequence[ReleaseAssessment]) -> int:
        """Return how many releases between those of a run were uploaded, and not measured."""
        oldest, newest = Version(run[-1].version), Version(run[0].version)
        between = sum(oldest < version < newest for version in self.uploaded)
        return between - max(0, len(run) - 2)


def advise_on_releases(
    all_series: Sequence[Series], table: Iterable[Release]
) -> list[UpstreamReleases]:
    """Say of the released versions of each upstream which are free of which defects.

    The releases of the package index count where they were measured, else the commits of release
    tags; of these only those in the table of uploads, as a tag alone can be pinned by nobody. A
    version is free of a defect only if every workload of it was silent, and an affected version
    would have failed.
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
        own = by_source["releases" if "releases" in by_source else "commits"]
        if releases := _assess_releases(own, uploaded):
            advised.append(
                UpstreamReleases(
                    upstream=upstream,
                    defects=tuple(list_defects(SIMULATOR, {series.defect for series in own})),
                    releases=releases,
                    uploaded=tuple(version for name, version in uploaded if name == upstream),
                )
            )
    return advised


def _assess_releases(
    all_series: Sequence[Series], uploaded: Collection[tuple[str, Version]]
) -> tuple[ReleaseAssessment, ...]:
    judged: dict[Version, dict[str, list[tuple[JudgedRevision, bool]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for series in all_series:
        for revision, odds in zip(series.revisions, series.history.affected, strict=True):
            version = revision.record.version
            if version is None or (series.key.upstream, version) not in uploaded:
                continue
            # A history in which nothing was ever observed knows no more than its verdicts, and
            # none knows whether upstream refuses the launch.
            is_doubted = (
                series.state.state is not State.NEVER_OBSERVED
                and not revision.is_refused
                and (odds or 0.0) > 1 - MIN_PROBABILITY
            )
            judged[version][series.defect].append((revision, is_doubted))
    return tuple(
        ReleaseAssessment(
            version=str(version),
            date=next(iter(judged[version].values()))[0][0].record.date,
            defects={defect: _merge(own) for defect, own in judged[version].items()},
        )
        for version in sorted(judged, reverse=True)
    )


def _merge(judged: Sequence[tuple[JudgedRevision, bool]]) -> DefectInRelease:
    """Return what a version shows of a defect over all workloads, machines and Pythons.

    Beside each revision stands whether its history doubts its silence. A machine and Python that
    could not run the version, as there was no wheel, say, leaves the verdict to the others.
    """
    revisions = [revision for revision, _ in judged]
    revisions = [found for found in revisions if not found.record.not_run_reason] or revisions
    verdict = combine_workloads(revisions)
    if verdict is Verdict.NOT_OBSERVED and any(is_doubted for _, is_doubted in judged):
        verdict = Verdict.INCONCLUSIVE
    return DefectInRelease(
        verdict=verdict,
        counts=pool_counts(revision.counts for revision in revisions if revision.counts),
        explored=summarise_explorations(
            batch for revision in revisions for batch in revision.explorations
        ),
        workloads=tuple(
            sorted({found.workload for found in revisions if found.verdict is Verdict.OBSERVED})
        ),
        n_workloads=len(
            {found.workload for found in revisions if found.verdict is not Verdict.NOT_RUN}
        ),
        is_refused=verdict is Verdict.NOT_OBSERVED
        and any(revision.is_refused for revision in revisions),
    )
