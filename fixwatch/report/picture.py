"""The pictures of the answer: which upstream had which defect when. Geometry only, no markup.

Time runs from left to right. An upstream has a lane: a trunk with its releases, like a branch in a
graph of commits, and a band for each defect. numba-cuda's trunk leaves that of numba, whose
built-in target it was made from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from packaging.version import Version

from fixwatch.report.addresses import RELEASES_NAME, name_sheet, release_anchor
from fixwatch.upstream_texts import parse_moment_in_utc
from fixwatch.verdicts.defects import DefectVerdict
from fixwatch.verdicts.pin_advice import UpstreamReleases
from fixwatch.verdicts.states import State
from fixwatch.verdicts.stretches import Stretch, find_beginnings, find_stretches
from fixwatch.verdicts.targets import SIMULATOR, name_place

# numba-cuda began as numba's built-in target, moved to a repository of its own.
_PARENTS = {"numba-cuda": "numba"}
# Of a letter, about.
_LETTER = 6.4


@dataclass(frozen=True, kw_only=True)
class Form:
    """The proportions of a drawing, in its units, which are pixels where it is shown whole."""

    name: str
    width: float
    left: float  # where time begins
    right: float  # where it ends, from the right
    pitch: float  # from a band to the next
    band: float  # its height
    above: float  # room over a band, for its name where that is not beside it
    label_distance: float  # of releases


WIDE = Form(
    name="wide",
    width=1056,
    left=152,
    right=222,
    pitch=24,
    band=14,
    above=5,
    label_distance=46,
)
# For a phone: what stands beside a band there stands over it here.
NARROW = Form(
    name="narrow",
    width=358,
    left=0,
    right=0,
    pitch=28,
    band=8,
    above=17,
    label_distance=44,
)
_Place = tuple[str, str]  # an upstream and a target
_Traced = tuple[DefectVerdict, Sequence[Stretch]]

_HEADING = 20  # the name of a lane that leaves no other one
_TRUNK = 36  # a trunk with the names of its releases
_FORK = 14  # between a trunk and the one that leaves it
_APART = 14  # between lanes
_DATES = 12


@dataclass(frozen=True, kw_only=True)
class Link:
    """A text that may lead somewhere."""

    text: str
    href: str | None = None


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A part of a band."""

    x: float
    width: float
    kind: str  # "affected", "free" or "unknown"
    text: str  # that stands in it; empty where it has no room
    title: str


@dataclass(frozen=True, kw_only=True)
class Band:
    """A defect on an upstream."""

    y: float  # of its upper edge
    name: str
    href: str
    kind: str  # what is known now
    says: tuple[Link, ...]
    segments: tuple[Segment, ...]
    changes: tuple[float, ...]  # where a segment begins that a change is known of


@dataclass(frozen=True, kw_only=True)
class ReleaseMark:
    """A release on a trunk."""

    x: float
    label_x: float  # of its middle
    label: str  # empty where it has no room
    href: str
    title: str


@dataclass(frozen=True, kw_only=True)
class Lane:
    """An upstream."""

    name: str
    has_trunk: bool
    y: float  # of its trunk
    name_y: float  # of its name
    label_y: float  # of the names of its releases
    start: float
    end: float
    fork: str  # the path from its parent's trunk; empty without one
    bands: tuple[Band, ...]
    releases: tuple[ReleaseMark, ...]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Everything that is drawn, in units of the picture."""

    form: Form
    height: float
    lanes: tuple[Lane, ...]
    years: tuple[tuple[float, str], ...]


def draw_picture(
    verdicts: Sequence[DefectVerdict],
    advised: Iterable[UpstreamReleases],
    looked_at: datetime | None,
    form: Form,
) -> Picture | None:
    """Lay out what is known of each defect on each upstream; None if nothing was measured.

    What the newest revision says holds until its upstream was looked at for the last time.
    """
    groups: dict[_Place, list[_Traced]] = {}
    for verdict in verdicts:
        own = groups.setdefault((verdict.upstream, verdict.target), [])
        own.append((verdict, find_stretches(verdict)))
    known = {place: [found for _, found in own if found] for place, own in groups.items()}
    if not any(known.values()):
        return None
    starts = {place: min(found[0].start for found in own) for place, own in known.items() if own}
    ends = {place: max(found[-1].end for found in own) for place, own in known.items() if own}
    for place in ends:
        ends[place] = max(ends[place], *_list_looks(groups[place], looked_at))
    scale = _Scale(form, min(starts.values()), max(ends.values()))
    releases = {upstream.upstream: upstream for upstream in advised}
    y, lanes = 0.0, dict[_Place | None, Lane]()
    for place, start in starts.items():
        upstream, target = place
        child = next((of for of in starts if _find_parent(of) == place), None)
        parent = lanes.get(_find_parent(place))
        # A trunk has releases, and they have the simulator.
        trunk = _TRUNK if target == SIMULATOR else 0
        heading = 0 if parent else _HEADING
        height = form.pitch * len(groups[place])
        bands_y = y + heading + (0 if child else trunk)
        # It lies on the side of its bands where the other one is.
        trunk_y = bands_y + height + 9 if child else bands_y - 11
        forks = [scale.x(starts[of]) for of in (child, place if parent else None) if of]
        lanes[place] = Lane(
            name=name_place(upstream, target),
            has_trunk=trunk > 0,
            y=trunk_y,
            name_y=y + 13 if heading else trunk_y + 4,
            label_y=trunk_y + 17 if child else trunk_y - 8,
            start=scale.x(start),
            end=scale.x(ends[place]),
            fork=_draw_fork(parent.y, trunk_y, scale.x(start)) if parent else "",
            bands=tuple(
                _draw_band(
                    verdict,
                    _fill(stretches, start, ends[place]),
                    bands_y + form.pitch * index + form.above,
                    scale,
                )
                for index, (verdict, stretches) in enumerate(groups[place])
            ),
            releases=tuple(
                _draw_releases(releases[upstream], groups[place], scale, forks)
                if trunk and upstream in releases
                else ()
            ),
        )
        y += heading + height + trunk + (_FORK if child else _APART)
    return Picture(
        form=form,
        height=y + _DATES,
        lanes=tuple(lanes.values()),
        years=tuple(scale.list_years()),
    )


def _find_parent(place: _Place) -> _Place | None:
    """Return the upstream whose trunk another one's leaves; only the simulator has trunks."""
    upstream, target = place
    is_forked = upstream in _PARENTS and target == SIMULATOR
    return (_PARENTS[upstream], target) if is_forked else None


class _Scale:
    """Where a moment stands."""

    def __init__(self, form: Form, first: datetime, last: datetime) -> None:
        self.form = form
        self.first, self.last = first, max(last, first + timedelta(days=1))

    def x(self, moment: datetime) -> float:
        share = (moment - self.first) / (self.last - self.first)
        width = self.form.width - self.form.left - self.form.right
        return round(self.form.left + width * min(max(share, 0.0), 1.0), 1)

    def list_years(self) -> Iterable[tuple[float, str]]:
        for year in range(self.first.year + 1, self.last.year + 1):
            yield self.x(datetime(year, 1, 1, tzinfo=timezone.utc)), str(year)


def _list_looks(traced: Iterable[_Traced], looked_at: datetime | None) -> Iterable[datetime]:
    """Yield when an upstream was looked at: by a check, or by whoever measured it."""
    if looked_at:
        yield looked_at
    for verdict, _ in traced:
        for history in verdict.histories:
            for revision in history.speaker.revisions:
                yield parse_moment_in_utc(revision.record.measured_at)


def _fill(stretches: Sequence[Stretch], start: datetime, end: datetime) -> list[Stretch]:
    """Return stretches that fill their lane: nothing is known before the first of them."""
    if not stretches:
        return [Stretch(is_affected=None, start=start, end=end)]
    first, last = stretches[0], stretches[-1]
    before = [Stretch(is_affected=None, start=start, end=first.start)]
    return [
        *(before if first.start > start else []),
        *stretches[:-1],
        replace(last, end=end),
    ]


_KINDS = {True: "affected", False: "free", None: "unknown"}
_WORDS = {"affected": "affected", "free": "not affected", "unknown": "not known"}


def _draw_band(
    verdict: DefectVerdict, stretches: Sequence[Stretch], y: float, scale: _Scale
) -> Band:
    segments, changes = [], []
    for index, stretch in enumerate(stretches):
        x, kind = scale.x(stretch.start), _KINDS[stretch.is_affected]
        width = round(scale.x(stretch.end) - x, 1)
        since = stretch.begins_in.name if stretch.begins_in else f"{stretch.start:%Y-%m-%d}"
        has_room = scale.form.band >= 12 and width > _LETTER * len(_WORDS[kind]) + 12
        segments.append(
            Segment(
                x=x,
                width=max(width, 1.5),
                kind=kind,
                text=_WORDS[kind] if has_room else "",
                title=f"{verdict.defect or 'any failure'}: {_WORDS[kind]} from {since} "
                f"({stretch.start:%Y-%m-%d}) to {stretch.end:%Y-%m-%d}",
            )
        )
        before = [own.is_affected for own in stretches[:index] if own.is_affected is not None]
        if before and stretch.is_affected is not None and stretch.is_affected != before[-1]:
            changes.append(x)
    return Band(
        y=y,
        name=verdict.defect or "any failure",
        href=f"#defect-{verdict.defect}" if verdict.defect else "#device",
        kind=_find_kind(verdict.state),
        says=tuple(_say(verdict)),
        segments=tuple(segments),
        changes=tuple(changes),
    )


def _find_kind(state: State) -> str:
    if state is State.AFFECTED:
        return "affected"
    return "free" if state in (State.FIXED, State.NEVER_OBSERVED) else "unknown"


def _say(verdict: DefectVerdict) -> Iterable[Link]:
    """Yield what is known now, and the revisions that it began with: of each source its own."""
    if verdict.speaker is None:
        yield Link(text="not measured")
        return
    key = verdict.speaker.key
    href = _find_href(verdict, key.source)
    state = verdict.state
    if state not in (State.AFFECTED, State.FIXED):
        text = "never observed" if state is State.NEVER_OBSERVED else "not known"
        yield Link(text=text, href=href)
        return
    yield Link(text=state.value, href=href)
    before = " since " if state is State.AFFECTED else " in "
    for source, record in find_beginnings(verdict).items():
        yield Link(text=before)
        yield Link(text=record.name, href=f"{_find_href(verdict, source)}#{record.commit}")
        before = ", "


def _find_href(verdict: DefectVerdict, source: str) -> str:
    speaker = next(
        history.speaker for history in verdict.histories if history.speaker.key.source == source
    )
    return name_sheet(verdict.upstream, source, verdict.target, speaker.defect)


def _draw_fork(parent_y: float, y: float, x: float) -> str:
    """Return the path from a trunk to the one that leaves it at a place."""
    middle = (parent_y + y) / 2
    return f"M{x - 14:g} {parent_y:g}C{x - 4:g} {parent_y:g} {x - 12:g} {middle:g} {x:g} {y:g}"


def _draw_releases(
    upstream: UpstreamReleases, traced: Iterable[_Traced], scale: _Scale, forks: Sequence[float]
) -> Iterable[ReleaseMark]:
    """Yield the releases, oldest first, with the names that have room beside each other and forks.

    Those that a defect began or ended with come first, then the newest, the first of a series, and
    the newer ones.
    """
    named = {
        history.speaker.revisions[change.at].record.name
        for verdict, _ in traced
        for history in verdict.histories
        for change in history.speaker.history.changes
    }
    releases = upstream.releases
    places = [scale.x(parse_moment_in_utc(release.date)) for release in releases]
    labelled: list[int] = []
    for index in sorted(
        range(len(releases)),
        key=lambda i: (
            releases[i].version not in named,
            i != 0,
            Version(releases[i].version).micro != 0,
            i,
        ),
    ):
        x, room = places[index], scale.form.label_distance
        is_near_fork = any(abs(x - fork + 7) < room / 2 + 4 for fork in forks)
        if not is_near_fork and all(abs(x - places[other]) >= room for other in labelled):
            labelled.append(index)
    for index, release in reversed(list(enumerate(releases))):
        # Nothing is cut off at the picture's sides.
        margin = _LETTER * len(release.version) / 2
        yield ReleaseMark(
            x=places[index],
            label_x=min(max(places[index], margin), scale.form.width - margin),
            label=release.version if index in labelled else "",
            href=f"{RELEASES_NAME}#{release_anchor(upstream.upstream, release.version)}",
            title=f"{upstream.upstream} {release.version}, {release.date[:10]}",
        )
