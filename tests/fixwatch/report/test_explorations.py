"""Explorations where counts and rates of batches are shown: their own words, and no rate."""

from __future__ import annotations

from fixwatch.report import timeline
from fixwatch.report.addresses import RELEASES_NAME
from fixwatch.report.answer import describe_state
from fixwatch.report.page import render_pages
from fixwatch.report.timeline import draw_timeline
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.allocations import list_allocations
from fixwatch.verdicts.controls import NEGATIVE_CONTROL
from fixwatch.verdicts.pin_advice import advise_on_releases
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_explored_controls,
    new_record,
)
from tests.fixwatch.verdicts.test_series import ORDER, document_of

SCHEDULE = "0,0@79:1,1@57:0"
FAILED = new_exploration(run=123, failing=SCHEDULE)
WHOLE = new_exploration()
PART = new_exploration(schedules=11_000, run=1202)


def release(version, exploration, failures=0, controls=None):
    """Return a record of a release with an exploration beside 100 trials."""
    return new_record(
        version,
        new_batch(failures=failures),
        exploration,
        *new_controls(),
        *(controls or new_explored_controls()),
        upstream="numba-cuda",
        date=f"2026-0{version[2]}-01T00:00:00+00:00",
    )


HISTORY = (
    release("0.24.0", FAILED, 90),
    release("0.26.0", WHOLE),
    release("0.30.4", PART),
)


def find_series(records, workload="local-array"):
    """Return the series of a workload."""
    return next(s for s in build_series(records, ORDER) if s.key.workload == workload)


def test_the_document_has_the_space_and_no_rate():
    """Only measurements of explore have one; trials are the schedules that were run."""
    (entry,) = [e for e in document_of(*HISTORY)["upstreams"] if e["workload"] == "local-array"]
    explored = [m for m in entry["measurements"] if m["schedule"] == "explore"]
    assert [(m["trials"], m["failures"], m["verdict"]) for m in explored] == [
        (123, 1, "observed"),
        (4832, 0, "not-observed"),
        (1202, 0, "inconclusive"),
    ]
    assert [m["space"]["exhausted"] for m in explored] == [False, True, False]
    assert [m["first_failure_schedule"] for m in explored] == [SCHEDULE, None, None]
    assert {(m["rate_low"], m["rate_high"]) for m in explored} == {(None, None)}
    assert all("space" not in m for m in entry["measurements"] if m not in explored)


def test_the_page_says_what_was_run_and_how_to_run_it_again():
    """A schedule that failed is named as the command takes it; no rate is made of schedules."""
    all_series = build_series(HISTORY, ORDER)
    advised = advise_on_releases(all_series, ORDER.releases)
    pages = render_pages(all_series, document_of(*HISTORY), advised)
    page = pages["measurements-numba-cuda-releases-cuda-swap.html"]
    assert f"fails: <code>{SCHEDULE}</code>" in page
    assert "0 in all 4,832<" in page
    assert "0 in 1,202 of 11,000?<" in page
    assert "python -m mwe --workload local-array --target simulator --schedule " in page
    assert "<code>--replay</code>" in page
    for count in ("1/123", "0/4832", "0/1202"):
        assert count not in "".join(pages.values())
    assert 'title="a schedule failed in local-array"' in pages[RELEASES_NAME]


def test_the_answer_rests_on_trials_or_names_the_exploration():
    """A revision that only an exploration shows to be affected is not told as 0 of 100."""
    assert "(90 of 100 trials failed, then 0 of 100)" in describe_state(find_series(HISTORY))
    hidden = find_series([release("0.24.0", FAILED)])
    assert describe_state(hidden) == (
        "affected in every release measured, 0.24.0 to 0.24.0 (1 measured; newest: a schedule "
        "failed in local-array)"
    )


def test_the_picture_has_explorations_without_an_interval():
    """One that failed stands at the top, a whole space at the bottom, a part of one nowhere."""
    points = draw_timeline(find_series(HISTORY), "").points
    explored = [point for point in points if point.schedule == "explore"]
    assert [point.y for point in explored] == [timeline.TOP, timeline.HEIGHT - timeline.BOTTOM]
    for point in explored:
        assert point.y_low == point.y == point.y_high
        assert "%" not in point.says
    assert explored[0].says.startswith("explore: schedule 0,0@79")
    assert "replay" not in explored[0].says


def test_pins_count_trials_and_name_explorations_beside_them():
    """A release that only an exploration shows to be affected is not free of the defect."""
    for exploration, says, is_free in (
        (WHOLE, "every schedule passed in local-array", True),
        (FAILED, "a schedule failed in local-array", False),
    ):
        records = [*HISTORY, release("0.28.0", exploration)]
        (found,) = advise_on_releases(build_series(records, ORDER), ORDER.releases)
        (newest,) = [r for r in found.releases if r.version == "0.28.0"]
        shown = newest.find("cuda-swap")
        assert (shown.counts, shown.explored) == (Counts(0, 100), says)
        assert newest.is_free_of("cuda-swap") is is_free


def test_a_work_around_that_an_exploration_breaks_does_not_hold():
    """Its trials alone would say that it does."""
    for negative, holds in ((None, True), ("0,0@3:1", False)):
        controls = (
            *new_explored_controls(negative=negative),
            new_batch("one-thread", 0, 50),
            new_exploration("one-thread", schedules=873),
        )
        series = build_series([release("0.24.0", FAILED, 90, controls)], ORDER)
        (row,) = [
            row
            for row in list_allocations(series, NEGATIVE_CONTROL)
            if row.workload == "same-module"
        ]
        assert (row.counts, row.holds) == (Counts(0, 50), holds)
        assert row.explored == (None if holds else Counts(1, 1))
