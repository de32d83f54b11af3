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
from fixwatch.verdicts.judgements import SAYS_MOST_FIRST, Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.states import State
from fixwatch.verdicts.targets import SIMULATOR

# What a history calls the releases of the package index; the others are commits.
RELEASES = "releases"


@dataclass(frozen=True, kw_only=True)
class DefectInRelease:
    """What the best measurements of a released version say of a defect."""

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

    A version was measured as a release of the package index, as the commit of its release tag, or
    both; only versions in the table of uploads count, as a tag alone can be pinned by nobody. A
    version is free of a defect only if every workload of it was silent, and an affected version
    would have failed.
    """
    uploaded = {
        (release.upstream, release.parsed_version) for release in table if not release.is_yanked
    }
    grouped: dict[str, list[Series]] = defaultdict(list)
    for series in all_series:
        if series.role == WORKLOAD and series.key.target == SIMULATOR:
            grouped[series.key.upstream].append(series)
    return [
        UpstreamReleases(
            upstream=upstream,
            defects=tuple(list_defects(SIMULATOR, {series.defect for series in own})),
            releases=releases,
            uploaded=tuple(version for name, version in uploaded if name == upstream),
        )
        for upstream, own in sorted(grouped.items())
        if (releases := _assess_releases(own, uploaded))
    ]


@dataclass(frozen=True, kw_only=True)
class _Measured:
    """A version as one history has it, under all schedules of a workload."""

    revision: JudgedRevision
    is_release: bool
    n_revisions: int  # that count in the history: how much it knows
    is_doubted: bool  # whether the history doubts the silence


def _assess_releases(
    all_series: Sequence[Series], uploaded: Collection[tuple[str, Version]]
) -> tuple[ReleaseAssessment, ...]:
    measured: dict[Version, dict[tuple[str, str], list[_Measured]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for series in all_series:
        for revision, odds in zip(series.revisions, series.history.affected, strict=True):
            version = revision.record.version
            if version is None or (series.key.upstream, version) not in uploaded:
                continue
            found = _Measured(
                revision=revision,
                is_release=series.key.source == RELEASES,
                n_revisions=len(series.history.counted),
                # A history in which nothing was ever observed knows no more than its verdicts, and
                # none knows whether upstream refuses the launch.
                is_doubted=series.state.state is not State.NEVER_OBSERVED
                and not revision.is_refused
                and (odds or 0.0) > 1 - MIN_PROBABILITY,
            )
            measured[version][series.defect, series.key.workload].append(found)
    return tuple(_assess_one(version, measured[version]) for version in sorted(measured)[::-1])


def _assess_one(
    version: Version, measured: Mapping[tuple[str, str], Sequence[_Measured]]
) -> ReleaseAssessment:
    best: dict[str, list[_Measured]] = defaultdict(list)
    for (defect, _), own in measured.items():
        best[defect].append(min(own, key=_rank))
    # The date of an upload, where there is one: a tag may be older.
    everything = [found for own in measured.values() for found in own]
    dated = max(everything, key=lambda found: found.is_release)
    return ReleaseAssessment(
        version=str(version),
        date=dated.revision.record.date,
        defects={defect: _merge(own) for defect, own in best.items()},
    )


def _rank(found: _Measured) -> tuple[int, int, int, bool]:
    """Return how well a version was measured, as what compares smaller if it was done better.

    An observation counts wherever it was made. Else the longer history speaks of those that are
    decided: one that has just begun neither takes anything back nor adds to it, and a Python
    without a wheel says nothing.
    """
    counts = found.revision.counts
    return (
        SAYS_MOST_FIRST.index(found.revision.verdict),
        -found.n_revisions,
        -(counts.n_trials if counts else 0),
        not found.is_release,
    )


def _merge(measured: Sequence[_Measured]) -> DefectInRelease:
    """Return what a version shows of a defect over all workloads, each as it was measured best."""
    revisions = [found.revision for found in measured]
    verdict = combine_workloads(revisions)
    if verdict is Verdict.NOT_OBSERVED and any(found.is_doubted for found in measured):
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
