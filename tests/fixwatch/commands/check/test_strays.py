"""Which batches go on before a check speaks."""

from __future__ import annotations

import pytest

from fixwatch.commands.check.strays import find_strays
from fixwatch.records.plans import STRAY_TRIALS
from tests.fixwatch.sample_records import (
    look_at,
    new_batch,
    new_controls,
    new_exploration,
    new_record,
)


def find(*batches, kind="newest release"):
    """Return the places of the strays of a release with these batches."""
    record = new_record("0.28.0", *batches, *new_controls(), upstream="numba-cuda")
    return [stray.place[2:] for stray in find_strays([(look_at(record, kind), record)])]


def test_a_batch_that_failed_too_rarely_for_a_change_goes_on():
    """The ones beside it that were silent say as much as they can."""
    rare, silent = new_batch(failures=1), new_batch("shared-array")
    assert find(rare, silent) == [("local-array", "delay")]
    (stray,) = find_strays([measured_with(rare)])
    assert str(stray) == (
        "numba-cuda 0.28.0: local-array under delay failed in 1 of 100 trials, too few for a change"
    )


def measured_with(batch):
    """Return a newest release with a batch, as a look has it."""
    record = new_record("0.28.0", batch, *new_controls(), upstream="numba-cuda")
    return look_at(record, "newest release"), record


@pytest.mark.parametrize(
    "batches",
    [
        (new_batch(failures=60),),
        (new_batch(),),
        (new_batch(failures=1, trials=STRAY_TRIALS),),
        (new_batch(failures=1, schedule="natural"),),
        (new_batch(failures=1), new_exploration(failing="0,0@3:1")),
    ],
    ids=["frequent", "silent", "has gone on", "decides nothing", "a schedule failed too"],
)
def test_nothing_else_goes_on(batches):
    """It is judged by what it has."""
    assert find(*batches) == []


def test_controls_do_not_go_on():
    """They are old releases, of which the record knows."""
    assert find(new_batch(failures=1), kind="negative control") == []
