"""A batch that goes on where an earlier one ended."""

from __future__ import annotations

import pytest

from mwe.batch import Batch
from mwe.errors import BadArgumentError
from mwe.request import BatchRequest


def run(n_trials, **changes):
    """Run the positive control under hand-off, which repeats exactly."""
    values = {
        "workload": "planted-race",
        "schedule": "handoff",
        "n_trials": n_trials,
        "seed": 3,
        "target": "simulator",
        **changes,
    }
    return BatchRequest(**values).run().to_json()


def untimed(batch):
    """Return a batch without its clock."""
    return {
        name: value
        for name, value in batch.items()
        if name not in ("duration_s", "first_failure_s")
    }


def test_a_batch_that_goes_on_is_the_batch_in_one_go():
    """The same trials with the same numbers and seeds are counted, and none twice."""
    earlier = run(4)
    resumed = run(10, earlier=earlier)
    assert untimed(resumed) == untimed(run(10))
    assert resumed["failing_trials"] == list(range(1, 11))
    assert resumed["first_failure_s"] == earlier["first_failure_s"]
    assert resumed["duration_s"] > earlier["duration_s"]


def test_a_batch_that_is_long_enough_runs_nothing():
    """A batch that has all its trials comes back unchanged."""
    earlier = run(4)
    assert run(4, earlier=earlier) == earlier


def test_a_failure_of_an_unknown_thread_stays_unknown():
    """While one part does not know its early returns, the whole does not know them either."""
    earlier = {**run(4), "early_return_failures": None}
    assert run(6, earlier=earlier)["early_return_failures"] is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "earlier batch has seed 4"),
        ({"trials": "many"}, "no record of one"),
        ({"failing_trials": None}, "no record of one"),
    ],
)
def test_a_batch_of_something_else_is_refused(change, message):
    """A batch with another seed, or a broken record, cannot be gone on from."""
    earlier = {**run(2), **change}
    with pytest.raises(BadArgumentError, match=message):
        run(6, earlier=earlier)


def test_everything_printed_is_taken_over():
    """A batch that is read back prints what was read."""
    earlier = run(5)
    batch = Batch(
        defect="cuda-swap",
        workload="planted-race",
        role="positive-control",
        schedule="handoff",
        target="simulator",
        seed=0,
        packages=earlier["packages"],
        python=earlier["python"],
    )
    batch.resume(earlier)
    assert batch.to_json() == earlier
