"""What of the results a look has measured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.check.judged import find_measured
from tests.fixwatch.records.test_plans import PLAN, RECORD
from tests.fixwatch.sample_records import look_at

LOOKED_AT = look_at(RECORD, "newest release")
PART = replace(RECORD, batches=RECORD.batches[:1])
ELSEWHERE = replace(RECORD, machine="another", measured_at="2030-01-01T00:00:00+00:00")


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_measurements_of_a_revision_the_greater_counts(order):
    """In whichever order they are read; what another machine measured is not this look's."""
    plan = replace(PLAN, machine=RECORD.machine, looked_at=(LOOKED_AT,))
    records = [PART, RECORD, ELSEWHERE][::order]
    assert find_measured(plan, records) == [(LOOKED_AT, RECORD)]
