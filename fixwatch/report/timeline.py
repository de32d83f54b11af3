"""The picture of a series: failure rates with intervals by date. Geometry only, no markup."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from fixwatch.history.listing import ListedCommit
from fixwatch.records.evidence import Evidence
from fixwatch.statistics.binomial import Counts, interval
from fixwatch.upstream_texts import parse_moment_in_utc
from fixwatch.verdicts.assessment import Measurement
from fixwatch.verdicts.explorations import describe_exploration
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
# Of the cross at a revision that was not measured.
GAP_WIDTH = 8


@dataclass(frozen=True, kw_only=True)
class Point:
    """A measurement: a mark at its rate, and a line over its 95 % interval.

    An exploration has no rate: one that failed stands at the top, a whole space that did not at
    the bottom, and the line is none.
    """

    x: float
    y: float
    y_low: float
    y_high: float
    schedule: str
    verdict: str
    commit: str
    revision: str
    says: str


@dataclass(frozen=True, kw_only=True)
class Mark:
    """Something at a date: a tick, a release, a transition, a revision without a measurement."""

    x: float
    label: str
    title: str = ""
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """Everything that is drawn, in units of the picture."""

    points: tuple[Point, ...]
    rates: tuple[tuple[float, str], ...]  # height and label of each line of the scale
    dates: tuple[Mark, ...]
    releases: tuple[Mark, ...]
    transitions: tuple[Mark, ...]
    gaps: tuple[Mark, ...]  # revisions that were not run or not measured, with the reason
    description: str  # what the picture says, for who does not see it


def draw_timeline(series: Series, description: str) -> Timeline:
    """Lay a series out over its dates."""
    records = [revision.record for revision in series.revisions]
    dates = [record.date for record in records] + [commit.date for commit in series.unmeasured]
    scale = _DateScale(dates)
    return Timeline(
        points=tuple(
            _draw_point(measurement, counts, scale)
            for measurement in series.measurements
            if measurement.decides and (counts := measurement.counts or measurement.experiments)
        ),
        rates=tuple((_rate_y(rate), f"{100 * rate:g} %") for rate in (0.0, 0.25, 0.5, 0.75, 1.0)),
        dates=tuple(scale.ticks()),
        releases=tuple(_draw_releases(records, scale)),
        transitions=tuple(
            _draw_transition(change.kind.value, records[change.after], records[change.at], scale)
            for change in series.history.changes
        ),
        gaps=tuple(_draw_gaps(series, scale)),
        description=description,
    )


class _DateScale:
    """Where a date stands."""

    def __init__(self, dates: Iterable[str]) -> None:
        moments = sorted(map(parse_moment_in_utc, dates))
        margin = max((moments[-1] - moments[0]) * 0.02, timedelta(days=1))
        self.first, self.last = moments[0] - margin, moments[-1] + margin

    def x(self, *dates: str) -> float:
        """Return the place of the middle between dates."""
        days = [parse_moment_in_utc(date) - self.first for date in dates]
        share = sum(day / (self.last - self.first) for day in days)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * share / len(days), 1)

    def ticks(self) -> list[Mark]:
        """Return the first days of years, quarters or months, at most a dozen."""
        for step in (1, 3, 12, 60):
            months = [
                f"{year}-{month:02}"
                for year in range(self.first.year, self.last.year + 1)
                for month in range(1, 13)
                if (year * 12 + month - 1) % step == 0
                and self.first <= parse_moment_in_utc(f"{year}-{month:02}-01") <= self.last
            ]
            if len(months) <= 12:
                break
        return [Mark(x=self.x(f"{month}-01"), label=month) for month in months]


def _rate_y(rate: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - rate), 1)


def _draw_point(measurement: Measurement, counts: Counts, scale: _DateScale) -> Point:
    record, batch = measurement.record, measurement.batch
    rate = counts.n_failures / counts.n_trials
    if batch is not None and batch.is_exploration:
        # How to run it again stands in the table.
        (low, high), says = (rate, rate), describe_exploration(batch).partition("; replay: ")[0]
    else:
        low, high = interval(counts)
        says = (
            f"{counts.n_failures} of {counts.n_trials} failed "
            f"(95 %: {100 * low:.3g} to {100 * high:.3g} %)"
        )
    return Point(
        x=scale.x(record.date),
        y=_rate_y(rate),
        y_low=_rate_y(low),
        y_high=_rate_y(high),
        schedule=measurement.schedule or "",
        verdict=measurement.judgement.verdict.value,
        commit=record.commit,
        revision=f"{record.name}, {record.date[:10]}",
        says=f"{measurement.schedule}: {says}",
    )


def _draw_transition(kind: str, after: Evidence, at: Evidence, scale: _DateScale) -> Mark:
    label = f"{kind} in {at.name}"
    x = scale.x(after.date, at.date)
    return Mark(x=x, label=label, title=f"{label}, after {after.name}", kind=kind)


def _draw_releases(records: Iterable[Evidence], scale: _DateScale) -> Iterator[Mark]:
    """Yield the marks of releases, with the labels that can be read.

    Of those in each other's way the first of a series comes first, then the newer one.
    """
    releases = [(record, record.version) for record in records if record.version is not None]
    places = [scale.x(record.date) for record, _ in releases]
    labelled: list[int] = []
    for index in sorted(range(len(places)), key=lambda i: (releases[i][1].micro != 0, -i)):
        if all(abs(places[index] - places[other]) >= MIN_LABEL_DISTANCE for other in labelled):
            labelled.append(index)
    for index, (record, version) in enumerate(releases):
        label = str(version) if index in labelled else ""
        yield Mark(x=places[index], label=label, title=f"{record.name}, {record.date[:10]}")


def _draw_gaps(series: Series, scale: _DateScale) -> Iterator[Mark]:
    for revision in series.revisions:
        record, own = revision.record, revision.measurements
        if all(measurement.judgement.verdict is Verdict.NOT_RUN for measurement in own):
            reason = own[0].judgement.reason or "no reason is known"
            title = f"{record.name}, {record.date[:10]}, not run: {reason}"
            yield Mark(x=scale.x(record.date), label="", title=title)
    yield from _draw_unmeasured(series.unmeasured, scale)


def _draw_unmeasured(commits: Sequence[ListedCommit], scale: _DateScale) -> Iterator[Mark]:
    """Yield a mark for each place; commits whose marks would lie over each other share one."""
    together: list[list[ListedCommit]] = []
    for commit in sorted(commits, key=lambda commit: commit.date):
        if together and scale.x(commit.date) < scale.x(together[-1][0].date) + GAP_WIDTH:
            together[-1].append(commit)
        else:
            together.append([commit])
    for own in together:
        first, last = own[0], own[-1]
        title = f"{first.name}, {first.date[:10]}"
        if len(own) > 1:
            title = f"{len(own)} commits, {title}, to {last.name}, {last.date[:10]}"
        x = scale.x(first.date, last.date)
        yield Mark(x=x, label="", title=f"{title}: not measured")
