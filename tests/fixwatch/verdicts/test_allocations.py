"""Which ways of allocating are hit, and which work-arounds hold."""

from __future__ import annotations

import pytest

from fixwatch.history.order import RevisionOrder
from fixwatch.statistics.binomial import Counts, upper_bound
from fixwatch.verdicts.allocations import list_allocations
from fixwatch.verdicts.controls import NEGATIVE_CONTROL
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_explored_controls,
    new_record,
    of_defect,
)


def series_of(*records):
    """Return the series of records."""
    return build_series(records, RevisionOrder())


AFFECTED = new_record("0.57.0", new_batch(failures=90), *new_controls())
ALSO = new_record("0.58.0", new_batch(failures=80), *new_controls())
CLEAN = new_record("0.59.0", new_batch(), *new_controls())


def test_a_way_is_counted_where_the_race_is():
    """What is clean everywhere else says nothing of a work-around."""
    (row,) = list_allocations(series_of(AFFECTED, ALSO, CLEAN))
    assert (row.workload, row.state) == ("local-array", "fixed")
    assert (row.counts, row.n_revisions) == (Counts(170, 200), 2)
    assert row.bound is None
    assert "cuda.local.array" in row.description


def test_a_work_around_holds_with_a_bound():
    """Its silence is worth as much as it was tried."""
    (row,) = list_allocations(series_of(AFFECTED, ALSO, CLEAN), NEGATIVE_CONTROL)
    assert (row.workload, row.counts) == ("same-module", Counts(0, 100))
    assert row.bound == pytest.approx(upper_bound(Counts(0, 100)))


def test_without_an_affected_revision_no_work_around_was_tried():
    """What was never measured on an affected revision is not listed as a work-around."""
    assert list_allocations(series_of(CLEAN), NEGATIVE_CONTROL) == []


def test_a_way_is_counted_where_its_own_defect_is():
    """A revision with another defect is no place to try a work-around for this one."""
    lost = of_defect("lost-sum", new_batch(failures=70), *new_controls())
    other = new_record("0.60.0", new_batch(), *new_controls(), *lost)
    rows = list_allocations(series_of(AFFECTED, CLEAN, other), NEGATIVE_CONTROL)
    assert [(row.defect, row.n_revisions) for row in rows] == [("cuda-swap", 1), ("lost-sum", 1)]
    assert [row.counts for row in rows] == [Counts(0, 50), Counts(0, 50)]


def test_a_way_that_was_only_explored_has_no_count():
    """It is listed by what its explorations say."""
    failed = new_exploration(run=123, failing="0,0@79:1")
    record = new_record("0.57.0", failed, *new_explored_controls())
    (row,) = list_allocations(series_of(record))
    assert (row.counts, row.bound, row.explored) == (None, None, Counts(1, 1))
    assert not row.holds


@pytest.mark.parametrize("name", ["sound-swap", "no-threads"])
def test_a_control_that_is_no_way_of_writing_a_kernel_is_no_work_around(name):
    """One runs no upstream code, the other nothing at all."""
    record = new_record("0.57.0", new_batch(failures=90), *new_controls(), new_batch(name))
    rows = list_allocations(series_of(record), NEGATIVE_CONTROL)
    assert [row.workload for row in rows] == ["same-module"]
