"""What of the results a look has measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.check.judged import find_measured
from fixwatch.records.plans import LookedAtRevision
from tests.fixwatch.records.test_plans import PLAN, RECORD


def look_at(record, kind="newest release"):
    """Return a record's release as a look judges it."""
    return LookedAtRevision(
        folder="releases",
        upstream=record.upstream,
        kind=kind,
        commit=record.commit,
        defects=("cuda-swap",),
    )


LOOKED_AT = look_at(RECORD)
PART = replace(RECORD, batches=RECORD.batches[:1])
ELSEWHERE = replace(RECORD, machine="another", measured_at="2030-01-01T00:00:00+00:00")


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_measurements_of_a_revision_the_greater_counts(order):
    """In whichever order they are read; what another machine measured is not this look's."""
    plan = replace(PLAN, machine=RECORD.machine, looked_at=(LOOKED_AT,))
    records = [PART, RECORD, ELSEWHERE][::order]
    assert find_measured(plan, records) == [(LOOKED_AT, RECORD)]
