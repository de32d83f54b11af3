"""A check that sees few failures measures on before it speaks, through real asv."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.records.evidence import evidence_path, save_evidence
from fixwatch.records.plans import STRAY_TRIALS, Plan, dump_plan
from tests.end_to_end.measuring import MACHINE
from tests.end_to_end.small_history import copy_measured_history
from tests.fixwatch.sample_records import look_at

pytestmark = pytest.mark.end_to_end

NEWEST = "fixed"
STRAY = "local-array", "delay"


def fail_once(batch):
    """Return a batch of which one trial failed in the race's way."""
    changes = {
        "failures": 1,
        "failures_by_mode": {"missing-attribute": 1},
        "signature_failures": 1,
        "attributes": {"local": 1},
        "failures_by_kernel": dict.fromkeys(list(batch.printed.trials_by_kernel)[:1], 1),
        "first_failure_trial": 2,
        "first_failure_s": 0.1,
        "failing_trials": (2,),
    }
    return replace(batch, printed=replace(batch.printed, **changes))


def find_batch(record, place):
    """Return a batch by its workload and schedule."""
    (found,) = (batch for batch in record.batches if (batch.workload, batch.schedule) == place)
    return found


def test_a_batch_with_one_failure_goes_on_once_and_the_others_stay(tmp_path_factory):
    """It keeps what it counted; where it is as rare still nothing is measured again."""
    history = copy_measured_history(tmp_path_factory, "strays")
    record = history.records()[NEWEST]
    batches = tuple(
        fail_once(batch) if (batch.workload, batch.schedule) == STRAY else batch
        for batch in record.batches
    )
    (path,) = history.results.glob(f"*/{record.commit[:8]}-*.json")
    save_evidence(replace(record, batches=batches), evidence_path(path))
    plan = Plan(
        nonce="0" * 32,
        machine=MACHINE,
        environment=record.environment,
        python=record.python,
        measurement_version=record.measurement_version,
        asked=(),
        looked_at=(look_at(record, "newest commit"),),
    )
    file = history.path / "plan.json"
    file.write_text(dump_plan(plan))
    done = history.fixwatch("check", "--plan", str(file))
    assert done.returncode == 0, done.stderr
    before = find_batch(replace(record, batches=batches), STRAY).printed
    n_trials = f"{before.trials} trials, too few for a change; going on to {STRAY_TRIALS} trials"
    assert f"numba {record.name}: local-array under delay failed in 1 of {n_trials}" in done.stderr
    measured = history.records()[NEWEST]
    after = find_batch(measured, STRAY).printed
    assert (after.trials, after.failures, after.seed) == (STRAY_TRIALS, 1, before.seed)
    others = [batch for batch in record.batches if (batch.workload, batch.schedule) != STRAY]
    assert [find_batch(measured, (one.workload, one.schedule)) for one in others] == others
    again = history.fixwatch("check", "--plan", str(file))
    assert (again.returncode, "going on" in again.stderr) == (0, False)
    assert history.records()[NEWEST] == measured
