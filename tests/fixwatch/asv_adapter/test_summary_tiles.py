"""The tiles of the benchmark grid, from judged series."""

from __future__ import annotations

from dataclasses import replace

from fixwatch.asv_adapter.summary_tiles import describe_groups, summarise
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import new_batch, new_controls, new_record, of_defect
from tests.fixwatch.verdicts.test_series import ORDER

VERSIONS = ("0.22.0", "0.23.0", "0.24.0", "0.26.0", "0.27.0")
FAILURES = (90, 95, 99, 0, 0)


def new_releases(*workloads, failures=FAILURES, **overrides):
    """Return records in which every workload fails as often, under two schedules."""
    return [
        new_record(
            version,
            *(
                new_batch(workload, count, schedule=schedule)
                for workload in workloads
                for schedule in ("delay", "handoff")
            ),
            *new_controls(),
            upstream="numba-cuda",
            **overrides,
        )
        for version, count in zip(VERSIONS, failures, strict=True)
    ]


def describe(records, left_out=()):
    """Return the groups of tiles, and the place of each version."""
    places = {
        record.commit: place
        for place, record in enumerate(records[: len(VERSIONS)])
        if record.name not in left_out
    }
    return describe_groups(build_series(records, ORDER), places)


def test_a_tile_shows_where_the_fix_is():
    """It has the answer, a line at the first fixed release, and a band on either side of it."""
    ((tile,),) = [group["tiles"] for group in describe(new_releases("local-array"))]
    assert tile["answer"] == "fixed in 0.26.0"
    assert tile["changes"] == [{"kind": "fixed", "place": 3, "name": "0.26.0"}]
    assert tile["bands"] == [(-0.5, 2.5, "affected"), (2.5, 4.5, "free")]
    assert tile["points"] == list(enumerate(FAILURES))


def test_the_first_tile_is_the_default_workload():
    """Then come the others as they are declared, and the controls have none."""
    (group,) = describe(new_releases("shared-array", "local-array"))
    assert [tile["title"] for tile in group["tiles"]] == [
        "track_failures: local-array",
        "track_failures: shared-array",
    ]


def test_a_tile_leads_to_the_graph_of_its_workload_under_its_schedules():
    """asv writes names as Python does."""
    ((tile,),) = [group["tiles"] for group in describe(new_releases("local-array"))]
    assert tile["address"] == (
        "#track_failures?p-workload=%27local-array%27"
        "&p-schedule=%27delay%27&p-schedule=%27handoff%27"
    )


def test_each_defect_has_a_group():
    """The groups are in the order of the defects."""
    records = [
        replace(record, batches=(*record.batches, *of_defect("host-launch", *record.batches)))
        for record in new_releases("local-array")
    ]
    assert [group["name"] for group in describe(records)] == ["cuda-swap", "host-launch"]


def test_pythons_are_told_apart():
    """Each has a tile, and is named in it; machines are one history."""
    records = new_releases("local-array")
    records += new_releases("local-array", python="3.12")
    records += new_releases("local-array", machine="other")
    (group,) = describe(records)
    assert [tile["title"] for tile in group["tiles"]] == [
        "track_failures: local-array (Python 3.11)",
        "track_failures: local-array (Python 3.12)",
    ]


def test_what_was_not_run_has_neither_point_nor_band():
    """A gap is no zero."""
    records = new_releases("local-array")
    records[3] = replace(records[3], batches=(), not_run_stage="build", not_run_reason="no")
    ((tile,),) = [group["tiles"] for group in describe(records)]
    assert [place for place, _ in tile["points"]] == [0, 1, 2, 4]
    assert tile["bands"] == [(-0.5, 2.5, "affected"), (3.5, 4.5, "free")]


def test_a_revision_that_asv_does_not_show_is_left_out():
    """As where a range is published."""
    ((tile,),) = [g["tiles"] for g in describe(new_releases("local-array"), ("0.22.0",))]
    assert [place for place, _ in tile["points"]] == [1, 2, 3, 4]


def test_the_summaries_of_asvs_benchmarks_are_the_default_workloads():
    """asv's own are means over workloads and controls."""
    records = new_releases("shared-array", "local-array")
    places = {record.commit: place for place, record in enumerate(records)}
    found = summarise(build_series(records, ORDER), places)
    assert found == {
        "track_failures": list(enumerate(FAILURES)),
        "track_trials": [(place, 100) for place in range(5)],
        "track_early_return_failures": [(place, 0) for place in range(5)],
    }


def test_without_workloads_there_are_no_tiles():
    """Nothing is made up."""
    assert describe([]) == []
    assert summarise([], {}) == {}
