"""Which ways of allocating are hit, and which work-arounds hold."""

from __future__ import annotations

import pytest

from fixwatch.history.order import RevisionOrder
from fixwatch.statistics.binomial import Counts, upper_bound
from fixwatch.verdicts.series import build_series
from fixwatch.verdicts.ways import find_ways, find_work_arounds
from tests.fixwatch.sample_records import new_batch, new_controls, new_record


def series_of(*records):
    """Return the series of records."""
    return build_series(records, RevisionOrder())


AFFECTED = new_record("0.57.0", new_batch(failures=90), *new_controls())
ALSO = new_record("0.58.0", new_batch(failures=80), *new_controls())
CLEAN = new_record("0.59.0", new_batch(), *new_controls())


def test_a_way_is_counted_where_the_race_is():
    """What is clean everywhere else says nothing of a work-around."""
    (way,) = find_ways(series_of(AFFECTED, ALSO, CLEAN))
    assert (way.workload, way.state) == ("local-array", "fixed")
    assert (way.n_failures, way.n_trials, way.n_revisions) == (170, 200, 2)
    assert way.bound is None
    assert "cuda.local.array" in way.description


def test_a_work_around_holds_with_a_bound():
    """Its silence is worth as much as it was tried."""
    (way,) = find_work_arounds(series_of(AFFECTED, ALSO, CLEAN))
    assert (way.workload, way.n_failures, way.n_trials) == ("same-module", 0, 100)
    assert way.bound == pytest.approx(upper_bound(Counts(0, 100)))


def test_without_an_affected_revision_no_work_around_was_tried():
    """Nothing is claimed."""
    assert find_work_arounds(series_of(CLEAN)) == []
