"""The geometry of the picture."""

from __future__ import annotations

from fixwatch.history.listing import ListedCommit, Listing
from fixwatch.history.order import RevisionOrder
from fixwatch.report import timeline
from fixwatch.report.timeline import draw_timeline
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import new_batch, new_controls, new_record


def draw(*records, order=None):
    """Draw the series of the workload."""
    (series,) = [
        series
        for series in build_series(records, order or RevisionOrder())
        if series.key.workload == "local-array"
    ]
    return draw_timeline(series, "what it says")


def record(name, failures, date, **overrides):
    """Return a record with controls that behave."""
    return new_record(name, new_batch(failures=failures), *new_controls(), date=date, **overrides)


HISTORY = (
    record("0.57.0", 100, "2023-05-01"),
    record("0.57.1", 50, "2023-05-10"),
    record("0.58.0", 0, "2024-05-01"),
)


def test_points_stand_at_their_date_and_rate():
    """A batch that always fails stands at the top, a silent one at the bottom."""
    points = draw(*HISTORY).points
    assert [point.x for point in points] == sorted(point.x for point in points)
    top, bottom = timeline.TOP, timeline.HEIGHT - timeline.BOTTOM
    assert [point.y for point in points] == [top, (top + bottom) / 2, bottom]
    for point in points:
        assert point.y_high <= point.y <= point.y_low
        assert timeline.LEFT <= point.x <= timeline.WIDTH - timeline.RIGHT
    assert points[0].revision == "0.57.0, 2023-05-01"
    assert points[0].says.startswith("delay: 100 of 100 failed")


def test_a_transition_stands_between_its_sides():
    """Its mark says what changed, and in which revision."""
    drawn = draw(*HISTORY)
    (mark,) = drawn.transitions
    assert drawn.points[1].x < mark.x < drawn.points[2].x
    assert (mark.kind, mark.label) == ("fixed", "fixed in 0.58.0")


def test_labels_that_would_overlap_are_left_out_but_not_their_marks():
    """The first of a series is labelled before a later patch of it."""
    releases = draw(*HISTORY).releases
    assert [mark.label for mark in releases] == ["0.57.0", "", "0.58.0"]
    assert all(mark.title for mark in releases)


def test_what_was_not_run_or_not_measured_is_a_gap_with_its_reason():
    """It is drawn as a cross with its reason, never as a rate of zero."""
    missing = new_record("0.59.0", date="2024-06-01", not_run_reason="no wheel")
    assert [gap.title for gap in draw(*HISTORY, missing).gaps] == [
        "0.59.0, 2024-06-01, not run: no wheel"
    ]
    commits = [record("a", 90, "2024-01-01T00:00:00+00:00", source="commits")]
    listed = ListedCommit(
        commit="b", name="b", date="2024-02-01T00:00:00+00:00", is_on_branch=True, reasons=("x",)
    )
    order = RevisionOrder(listings={"numba": Listing("numba", (listed,))})
    drawn = draw(*commits, order=order)
    assert [gap.title for gap in drawn.gaps] == ["b, 2024-02-01: not measured"]
    assert len(drawn.points) == 1


def test_commits_that_were_not_measured_share_a_cross_where_theirs_would_overlap():
    """A history that was begun has hundreds of them."""
    measured = record("a", 90, "2024-01-01T00:00:00+00:00", source="commits")
    days = ["2024-02-01", "2024-02-02", "2024-09-01"]
    listed = tuple(
        ListedCommit(
            commit=name,
            name=name,
            date=f"{day}T00:00:00+00:00",
            is_on_branch=True,
            reasons=("x",),
        )
        for name, day in zip("bcd", days, strict=True)
    )
    order = RevisionOrder(listings={"numba": Listing("numba", listed)})
    near, far = draw(measured, order=order).gaps
    assert near.title == "2 commits, b, 2024-02-01, to c, 2024-02-02: not measured"
    assert far.title == "d, 2024-09-01: not measured"
    assert far.x - near.x > timeline.GAP_WIDTH


def test_a_history_of_one_day_is_drawn():
    """Dates that are all the same divide nothing by zero."""
    drawn = draw(record("0.57.0", 10, "2023-05-01"))
    assert len(drawn.points) == 1
    assert len(drawn.dates) <= 12


def test_a_commit_whose_hash_looks_like_a_version_is_no_release():
    """A short hash of digits only is a valid version."""
    commit = record("12345678", 10, "2023-05-01", source="commits", commit="12345678" + "0" * 32)
    assert draw(commit).releases == ()
