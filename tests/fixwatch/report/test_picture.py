"""The geometry of the picture of the answer."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone

import pytest

from fixwatch.report.picture import NARROW, WIDE, draw_picture
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.fixwatch.verdicts.test_series import ORDER, numba_cuda

LOOKED_AT = datetime(2026, 11, 21, tzinfo=timezone.utc)
RECORDS = (
    numba_cuda("0.24.0", 90, "2026-01-12"),
    numba_cuda("0.26.0", 0, "2026-01-30"),
    numba_cuda("0.30.4", 0, "2026-07-03"),
    new_record("0.57.0", new_batch(failures=90), *new_controls(), date="2023-05-01"),
    new_record("0.68.1", new_batch(failures=90), *new_controls(), date="2026-10-27"),
)
FORMS = pytest.mark.parametrize("form", [WIDE, NARROW], ids=lambda form: form.name)


def draw(form=WIDE, records=RECORDS, looked_at=LOOKED_AT):
    """Draw what is known from some records."""
    all_series = build_series(records, ORDER)
    advised = advise_on_releases(all_series, ORDER.releases)
    return draw_picture(find_verdicts(all_series), advised, looked_at, form)


def find_band(picture, lane, name="cuda-swap"):
    """Return the band of a defect in a lane."""
    (found,) = [band for band in picture.lanes[lane].bands if band.name == name]
    return found


@FORMS
def test_everything_lies_within_the_picture_and_nothing_lies_over_another(form):
    """Bands have room of their own, and segments follow each other without a hole."""
    picture = draw(form)
    tops = []
    for lane in picture.lanes:
        for band in lane.bands:
            tops.append(band.y)
            assert 0 < band.y < band.y + form.band < picture.height
            xs = [segment.x for segment in band.segments]
            ends = [round(segment.x + segment.width, 1) for segment in band.segments]
            assert xs[1:] == ends[:-1]
            assert (xs[0], ends[-1]) == (lane.start, lane.end)
    assert tops == sorted(tops)
    assert all(b - a >= form.band + 4 for a, b in itertools.pairwise(tops))


def test_a_fix_turns_the_band_and_names_the_release_with_a_link():
    """The link leads to the release's own row of the measurements."""
    band = find_band(draw(), 1)
    assert [segment.kind for segment in band.segments] == ["affected", "free"]
    assert "".join(part.text for part in band.says) == "fixed in 0.26.0"
    name = "measurements-numba-cuda-releases-cuda-swap.html"
    assert [part.href for part in band.says if part.href] == [
        name,
        f"{name}#{RECORDS[1].commit}",
    ]
    assert band.changes == (band.segments[1].x,)


def test_the_same_state_throughout_has_no_change():
    """A band that was red from the first revision on says so without a mark."""
    band = find_band(draw(), 0)
    assert [segment.kind for segment in band.segments] == ["affected"]
    assert band.changes == ()


def test_a_release_that_is_not_known_between_two_that_are_alike_is_no_change():
    """It is hatched, and nothing is marked behind it."""
    missing = new_record(
        "0.27.0", upstream="numba-cuda", date="2026-02-05", not_run_reason="no wheel"
    )
    band = find_band(draw(records=[*RECORDS, missing]), 1)
    assert [found.kind for found in band.segments] == ["affected", "free", "unknown", "free"]
    assert band.changes == (band.segments[1].x,)


def test_what_was_not_measured_is_hatched_and_says_so():
    """It is neither red nor green."""
    band = find_band(draw(), 0, "shared-split")
    assert [segment.kind for segment in band.segments] == ["unknown"]
    assert (band.kind, [part.text for part in band.says]) == ("unknown", ["not measured"])


def test_the_newest_state_holds_until_the_last_look_and_no_longer():
    """An upstream that nobody has looked at since ends before the others."""
    old = [
        new_record(
            "0.57.0",
            new_batch(failures=90),
            *new_controls(),
            date="2023-05-01",
            measured_at="2024-01-01T00:00:00+00:00",
        ),
        *RECORDS[:3],
    ]
    numba, numba_cuda_lane = draw(records=old, looked_at=None).lanes
    assert numba.end < numba_cuda_lane.end == WIDE.width - WIDE.right
    numba, numba_cuda_lane = draw(records=old).lanes
    assert numba.end == numba_cuda_lane.end


def test_numba_cuda_leaves_the_trunk_of_numba():
    """And only there; an upstream by itself has a trunk of its own."""
    numba, fork = draw().lanes
    assert numba.fork == ""
    assert fork.fork.startswith("M")
    assert numba.start < fork.start
    assert numba.bands[-1].y < numba.y < fork.y < fork.bands[0].y
    (alone,) = draw(records=RECORDS[:3]).lanes
    assert alone.fork == ""


@FORMS
def test_names_of_releases_have_room_and_those_of_changes_come_first(form):
    """Every release is marked; the one with the fix is named whatever stands beside it."""
    (lane,) = draw(form, [numba_cuda("0.27.0", 0, "2026-02-05"), *RECORDS[:3]]).lanes
    named = [mark for mark in lane.releases if mark.label]
    assert "0.26.0" in [mark.label for mark in named]
    assert len(lane.releases) == 4
    places = sorted(mark.x for mark in named)
    assert all(b - a >= form.label_distance for a, b in itertools.pairwise(places))
    for mark in named:
        assert mark.label_x - 15 >= 0
        assert mark.label_x + 15 <= form.width
    assert lane.releases[-1].href == "releases.html#numba-cuda-0.30.4"


def test_a_device_has_a_lane_without_a_trunk():
    """Releases are measured in the simulator; a device's states have a band of their own."""
    device = new_record(
        "0.26.0", new_batch(failures=90), *new_controls(), upstream="numba-cuda", target="cuda"
    )
    *_, simulator, lane = draw(records=[*RECORDS, device]).lanes
    assert (lane.name, lane.has_trunk, lane.releases) == ("numba-cuda on a device", False, ())
    assert simulator.has_trunk
    assert [band.name for band in lane.bands] == ["any failure"]
    assert lane.bands[0].y > simulator.bands[-1].y + WIDE.pitch


def test_nothing_measured_is_no_picture():
    """There is no time to draw."""
    assert draw(records=[]) is None


def test_a_history_of_one_day_is_drawn():
    """Dates that are all the same divide nothing by zero."""
    picture = draw(records=RECORDS[:1], looked_at=None)
    assert picture.lanes[0].bands[0].segments[0].width > 0
