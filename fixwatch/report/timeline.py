"""The picture of a series: failure rates with intervals by date. Geometry only, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from fixwatch.statistics.binomial import Counts, interval
from fixwatch.upstream_texts import parse_moment
from fixwatch.verdicts.assessment import JudgedRevision, Measurement
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import Series

WIDTH, HEIGHT = 960, 260
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 28, 52
SIZE = {
    "width": WIDTH, "height": HEIGHT, "left": LEFT, "right": RIGHT, "top": TOP,
    "base": HEIGHT - BOTTOM,
}  # fmt: skip
# Labels nearer to each other than this cannot be read.
MIN_LABEL_DISTANCE = 46


@dataclass(frozen=True, kw_only=True)
class Point:
    """A measurement: a mark at its rate, and a line over its 95 % interval."""

    x: float
    y: float
    y_low: float
    y_high: float
    schedule: str
    verdict: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something at a date: a tick, a release, a transition, a revision without a measurement."""

    x: float
    label: str
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Everything that is drawn, in units of the picture.

    Attributes
    ----------
    rates
        Height and label of each line of the scale.
    gaps
        Revisions that were not run or not measured, with the reason.
    description
        What the picture says, for who does not see it.
    """

    points: tuple[Point, ...]
    rates: tuple[tuple[float, str], ...]
    dates: tuple[Mark, ...]
    releases: tuple[Mark, ...]
    transitions: tuple[Mark, ...]
    gaps: tuple[Mark, ...]
    description: str


def draw_timeline(series: Series, description: str) -> Timeline:
    """Lay a series out over its dates."""
    moments = [_moment(revision.record.date) for revision in series.revisions]
    moments += [_moment(commit.date) for commit in series.unmeasured]
    scale = _DateScale(min(moments), max(moments))
    return Timeline(
        points=tuple(
            _draw_point(measurement, measurement.counts, scale)
            for measurement in series.measurements
            if measurement.counts and measurement.decides
        ),
        rates=tuple((_rate_y(rate), f"{100 * rate:g} %") for rate in (0.0, 0.25, 0.5, 0.75, 1.0)),
        dates=tuple(scale.ticks()),
        releases=_thin_out(_draw_releases(series.revisions, scale)),
        transitions=tuple(_draw_transitions(series, moments, scale)),
        gaps=tuple(_draw_gaps(series, scale)),
        description=description,
    )


class _DateScale:
    """Where a moment stands."""

    def __init__(self, first: datetime, last: datetime) -> None:
        margin = max((last - first) * 0.02, timedelta(days=1))
        self.first, self.last = first - margin, last + margin

    def x(self, moments: Sequence[datetime]) -> float:
        """Return the place of the middle between moments."""
        share = sum((moment - self.first) / (self.last - self.first) for moment in moments)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * share / len(moments), 1)

    def ticks(self) -> list[Mark]:
        """Return the first days of years, quarters or months, at most a dozen."""
        for step in (1, 3, 12, 60):
            ticks = [
                moment
                for year in range(self.first.year, self.last.year + 1)
                for month in range(1, 13)
                if (year * 12 + month - 1) % step == 0
                and self.first <= (moment := datetime(year, month, 1, tzinfo=timezone.utc))
                and moment <= self.last
            ]
            if len(ticks) <= 12:
                break
        return [Mark(x=self.x([moment]), label=f"{moment:%Y-%m}") for moment in ticks]


def _moment(date: str) -> datetime:
    moment = parse_moment(date)
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _rate_y(rate: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate), 1)


def _draw_point(measurement: Measurement, counts: Counts, scale: _DateScale) -> Point:
    record = measurement.record
    low, high = interval(counts)
    return Point(
        x=scale.x([_moment(record.date)]),
        y=_rate_y(counts.n_failures / counts.n_trials),
        y_low=_rate_y(low),
        y_high=_rate_y(high),
        schedule=measurement.schedule or "",
        verdict=measurement.judgement.verdict.value,
        title=f"{record.name}, {record.date[:10]}, {measurement.schedule}: {counts.n_failures} of "
        f"{counts.n_trials} failed (95 %: {100 * low:.3g} to {100 * high:.3g} %)",
    )


def _draw_transitions(
    series: Series, moments: Sequence[datetime], scale: _DateScale
) -> Iterator[Mark]:
    for change in series.history.changes:
        kind = change.kind.value
        at, after = (series.revisions[index].record.name for index in (change.at, change.after))
        yield Mark(
            x=scale.x((moments[change.after], moments[change.at])),
            label=f"{kind} in {at}",
            title=f"{kind} in {at}, after {after}",
            kind=kind,
        )


def _draw_releases(
    revisions: Sequence[JudgedRevision], scale: _DateScale
) -> Iterator[tuple[bool, Mark]]:
    """Yield the marks of final releases, and whether each begins a series of its own."""
    for revision in revisions:
        record, version = revision.record, revision.record.version
        if version is not None:
            title = f"{record.name}, {record.date[:10]}"
            mark = Mark(x=scale.x([_moment(record.date)]), label=str(version), title=title)
            yield version.micro == 0, mark


def _thin_out(releases: Iterable[tuple[bool, Mark]]) -> tuple[Mark, ...]:
    """Keep the labels that can be read, of those in each other's way the ones that matter more."""
    marks = list(releases)
    labelled: list[float] = []
    chosen = set()
    for index in sorted(range(len(marks)), key=lambda index: (not marks[index][0], -index)):
        x = marks[index][1].x
        if all(abs(x - other) >= MIN_LABEL_DISTANCE for other in labelled):
            labelled.append(x)
            chosen.add(index)
    return tuple(
        mark if index in chosen else replace(mark, label="")
        for index, (_, mark) in enumerate(marks)
    )


def _draw_gaps(series: Series, scale: _DateScale) -> Iterator[Mark]:
    for revision in series.revisions:
        record, own = revision.record, revision.measurements
        if all(measurement.judgement.verdict is Verdict.NOT_RUN for measurement in own):
            reason = own[0].judgement.reason or "no reason is known"
            title = f"{record.name}, {record.date[:10]}, not run: {reason}"
            yield Mark(x=scale.x([_moment(record.date)]), label="", title=title)
    for commit in series.unmeasured:
        title = f"{commit.name}, {commit.date[:10]}: not measured"
        yield Mark(x=scale.x([_moment(commit.date)]), label="", title=title)
