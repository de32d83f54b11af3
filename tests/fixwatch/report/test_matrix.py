"""Ways of writing a kernel by upstream: one row a way, one cell a rate."""

from __future__ import annotations

from dataclasses import replace

from fixwatch.report.matrix import tabulate_ways
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_explored_controls,
    new_record,
)
from tests.fixwatch.verdicts.test_series import FIXED, ORDER

UPSTREAMS = ("numba", "numba-cuda")


def tabulate(*records):
    """Return the one defect's ways by workload."""
    (group,) = tabulate_ways(build_series(records, ORDER), UPSTREAMS)
    return {way.workload: way for way in group.ways}


def test_a_way_has_a_cell_for_each_upstream():
    """Ways that meet the defect come first; an upstream without the defect has nothing to say."""
    ways = tabulate(*FIXED[:2])
    assert list(ways) == ["local-array", "same-module"]
    assert [way.is_work_around for way in ways.values()] == [False, True]
    empty, cell = ways["local-array"].cells
    assert empty is None
    assert (cell.counts, cell.rate) == (Counts(88, 100), 0.88)
    assert cell.href == "measurements-numba-cuda-releases-cuda-swap.html"
    assert ways["same-module"].cells[1].bound is not None


def test_commits_and_releases_share_a_cell():
    """The source with more trials fills it; nothing is added up."""
    commit = new_record(
        "a", new_batch(failures=900, trials=1000), *new_controls(), source="commits"
    )
    release = new_record("0.57.0", new_batch(failures=50), *new_controls())
    cell = tabulate(commit, release)["local-array"].cells[0]
    assert cell.counts == Counts(900, 1000)
    assert "commits" in cell.href


def test_a_failure_is_not_hidden_by_a_larger_silence():
    """Nor by the other source, nor by trials beside an exploration that broke the work-around."""
    controls = (*new_explored_controls(negative="0,0@3:1"), new_batch("one-thread", 0, 50))
    record = new_record(
        "0.57.0", new_batch(failures=90), new_exploration(run=5, failing="0,0@1:1"), *controls
    )
    cell = tabulate(replace(record, batches=(*record.batches, new_batch("same-module", 0, 50))))[
        "same-module"
    ].cells[0]
    assert (cell.unit, cell.counts) == ("explorations", Counts(1, 1))
    assert cell.bound is None


def test_workloads_stand_in_the_order_of_their_defect():
    """The one that stands for the defect is the first."""
    record = new_record(
        "0.57.0",
        new_batch("chunked-local", 90),
        new_batch("shared-array", 90),
        new_batch("local-array", 90),
        *new_controls(),
    )
    assert list(tabulate(record))[:3] == ["local-array", "shared-array", "chunked-local"]
