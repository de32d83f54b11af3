"""Since when an upstream has a defect, as stretches of time in which the same is known."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fixwatch.records.evidence import Evidence
from fixwatch.statistics.change_points import MIN_PROBABILITY
from fixwatch.upstream_texts import parse_moment_in_utc
from fixwatch.verdicts.defects import DefectVerdict
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.states import State


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A time in which the same is known of a defect on an upstream."""

    is_affected: bool | None  # None where it is not known
    start: datetime
    end: datetime
    begins_in: Evidence | None = None  # the first revision that says so
    is_placed: bool = False  # whether nothing lies between that and the revision before it


def find_stretches(verdict: DefectVerdict) -> list[Stretch]:
    """Return what is known of a defect on an upstream, oldest first and without a gap.

    The commits say it, as they are closer together, and where they say nothing, before the first of
    them and after the last, the releases do. Of several machines or Pythons the one that speaks
    first does.
    """
    speakers: dict[str, Series] = {}
    for history in verdict.histories:
        speakers.setdefault(history.speaker.key.source, history.speaker)
    known: list[Stretch] = []
    for source in sorted(speakers):
        own = _cut(speakers[source])
        says_nothing = all(stretch.is_affected is None for stretch in known)
        known = own if says_nothing else _surround(known, own)
    return _join(known)


def find_beginnings(verdict: DefectVerdict) -> dict[str, Evidence]:
    """Return by source the revision that the state began with, releases first.

    None where a state has no beginning. One that is not exactly placed is left out beside one that
    is: of releases that were not all measured, the first with a fix is not known.
    """
    found: dict[str, tuple[Evidence, bool]] = {}
    for history in verdict.histories:
        speaker = history.speaker
        if history.state is verdict.state and speaker.history.changes:
            at = speaker.revisions[speaker.history.changes[-1].at].record
            found.setdefault(speaker.key.source, (at, speaker.exact[-1]))
    any_exact = any(is_exact for _, is_exact in found.values())
    return {
        source: record
        for source, (record, is_exact) in sorted(found.items(), reverse=True)
        if is_exact or not any_exact
    }


def is_known_to_have(series: Series, index: int) -> bool | None:
    """Return whether a revision has the defect, as the whole history takes it; None if unknown.

    That it has not is said as for pin advice: a history that doubts a silence knows nothing.
    """
    revision, odds = series.revisions[index], series.history.affected[index]
    is_sure = odds is not None and (odds >= MIN_PROBABILITY or odds <= 1 - MIN_PROBABILITY)
    if odds is not None and odds > 0.5:
        return True if is_sure or revision.verdict is Verdict.OBSERVED else None
    is_clean = series.state.state is State.NEVER_OBSERVED or revision.is_refused or is_sure
    return False if is_clean and revision.verdict is Verdict.NOT_OBSERVED else None


def _cut(series: Series) -> list[Stretch]:
    """Cut a history where what is known changes.

    The time between two stretches is left out. What was measured beside the branch says nothing of
    it.
    """
    indices = [
        index
        for index, revision in enumerate(series.revisions)
        if series.history.affected[index] is not None or not revision.verdict.is_decided
    ]
    exact = {
        change.at
        for change, is_exact in zip(series.history.changes, series.exact, strict=True)
        if is_exact
    }
    runs = [
        (is_affected, list(run))
        for is_affected, run in itertools.groupby(
            indices, key=lambda index: is_known_to_have(series, index)
        )
    ]
    stretches: list[Stretch] = []
    for is_affected, run in runs:
        first, last = (series.revisions[index].record for index in (run[0], run[-1]))
        start = parse_moment_in_utc(first.date)
        if stretches:
            # A committer's clock may run backwards, and a maintenance release is late.
            start = max(start, stretches[-1].end)
        stretches.append(
            Stretch(
                is_affected=is_affected,
                start=start,
                end=max(start, parse_moment_in_utc(last.date)),
                begins_in=first,
                is_placed=run[0] in exact,
            )
        )
    return stretches


def _surround(inner: Sequence[Stretch], outer: Sequence[Stretch]) -> list[Stretch]:
    """Return stretches with those of another history before and after them."""
    first, last = inner[0].start, inner[-1].end
    before = [replace(own, end=min(own.end, first)) for own in outer if own.start < first]
    after = [
        own if own.start > last else replace(own, start=last, begins_in=None)
        for own in outer
        if own.end > last
    ]
    return [*before, *inner, *after]


def _join(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Join neighbours that say the same, and fill what lies between those that do not."""
    joined: list[Stretch] = []
    for stretch in stretches:
        if not joined:
            joined.append(stretch)
            continue
        before = joined[-1]
        if before.is_affected is stretch.is_affected:
            joined[-1] = replace(before, end=max(before.end, stretch.end))
            continue
        if before.end < stretch.start:
            if stretch.is_placed or None in (before.is_affected, stretch.is_affected):
                joined[-1] = replace(before, end=stretch.start)
            else:
                joined.append(Stretch(is_affected=None, start=before.end, end=stretch.start))
        joined.append(stretch)
    return joined
