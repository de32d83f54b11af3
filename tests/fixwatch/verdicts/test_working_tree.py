"""What counts of a working tree say, with a base beside it as the reference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.judge.batches import plan_judge
from fixwatch.verdicts.working_tree import EXIT_STATUS, TreeVerdict, judge
from mwe.planned.plan import MEASUREMENT_VERSION
from tests.fixwatch.sample_records import new_batch, new_exploration, new_record


def measure(failures, name="judged", **changes):
    """Return a record of the whole plan.

    By (workload, schedule) how many trials failed; planted-race fails in all unless it is said
    otherwise, the rest in none. `changes` replaces whole batches, by ``workload__schedule``.
    An exploration that does not fail has run its whole space where the plan gives it the time.
    """
    batches = []
    for planned in plan_judge():
        default = planned.n_trials if planned.workload == "planted-race" else 0
        way = (planned.workload, planned.schedule)
        n_failures = failures.get(way, default)
        if planned.is_exploration:
            is_part = n_failures or planned.limit_s < 60
            failing = "0,0@79:1,1@57:0" if n_failures else None
            batch = new_exploration(planned.workload, run=123 if is_part else None, failing=failing)
        else:
            batch = new_batch(
                planned.workload, n_failures, planned.n_trials, schedule=planned.schedule
            )
        key = "__".join(way).replace("-", "_")
        batches.append(replace(batch, role=planned.role, **changes.get(key, {})))
    return new_record(name, *batches, source="commits", measurement_version=MEASUREMENT_VERSION)


RACY = {
    (planned.workload, planned.schedule): planned.n_trials - 1
    for planned in plan_judge()
    if planned.role == "workload" and planned.schedule != "natural"
}
BASE = measure(RACY, "base", date="2023-05-01")


def test_silence_beside_an_affected_base_is_not_observed():
    """The answer has the chance that a wrong fix would have passed."""
    judged = judge(measure({}), BASE)
    assert (judged.verdict, EXIT_STATUS[judged.verdict]) == (TreeVerdict.NOT_OBSERVED, 0)
    assert judged.confidence > 0.99
    assert judged.reference.kind == "base"
    assert judged.chances_of_passing[0].chance < 1e-8
    assert judged.broken_controls == ()


def test_silence_is_as_sure_as_its_least_sure_workload():
    """0.8 ** 50 and 0.6 ** 20 are near 1e-5: whatever the others say, no more is known of it."""
    ways = {("shared-array", "delay"): 10, ("shared-array", "handoff"): 8}
    judged = judge(measure({}), measure({**RACY, **ways}, "base", date="2023-05-01"))
    assert judged.verdict is TreeVerdict.NOT_OBSERVED
    assert 0.999 < judged.confidence < 1 - 1e-6


@pytest.mark.parametrize("schedule", ["delay", "handoff", "natural", "explore"])
def test_one_failure_is_observed(schedule):
    """It counts under every schedule, also under one whose silence says nothing."""
    judged = judge(measure({("local-array", schedule): 1}), BASE)
    assert (judged.verdict, EXIT_STATUS[judged.verdict]) == (TreeVerdict.OBSERVED, 1)
    assert judged.chances_of_passing is None


def test_a_positive_control_that_does_not_fail_spoils_everything():
    """What was observed beside it does not count either."""
    judged = judge(measure({**RACY, ("planted-race", "handoff"): 0}), BASE)
    assert (judged.verdict, EXIT_STATUS[judged.verdict]) == (TreeVerdict.COULD_NOT_MEASURE, 3)
    assert "the positive control planted-race did not fail" in judged.reason


def test_a_control_that_only_the_shipped_race_spares_is_a_finding():
    """A wrong fix may break code in one module; it is named, and counts."""
    judged = judge(measure({("same-module", "delay"): 18}), BASE)
    assert judged.verdict is TreeVerdict.OBSERVED
    assert judged.broken_controls == ("same-module",)


def test_a_single_thread_that_fails_spoils_everything():
    """Nothing can race in it, so the harness is at fault, or the tree is broken."""
    judged = judge(measure({**RACY, ("one-thread", "delay"): 1, ("same-module", "delay"): 3}), BASE)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert "the negative control" in judged.reason
    assert judged.broken_controls == ()


def test_failures_without_the_signature_are_no_verdict():
    """A tree in which every launch raises something else is broken, neither clean nor affected."""
    modes = {"failures_by_mode": {"exception": 5}, "details": ["TypeError: oops\n  at line 3"]}
    broken = new_batch("local-array", 5, 100, **modes).printed
    judged = judge(measure({}, local_array__delay={"printed": broken}), BASE)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert "none with the signature of cuda-swap: 5 exception; TypeError: oops" in judged.reason


def test_a_batch_that_is_missing_is_no_silence():
    """The reason of the answer is that of the missing batch."""
    gap = {"printed": None, "stage": "batch", "reason": "did not finish within 120 s"}
    judged = judge(measure({}, shared_array__delay=gap), BASE)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert "did not finish within 120 s" in judged.reason


def test_a_tree_whose_launches_hang_says_so():
    """The batch that was stopped is named, not those that were not tried after it."""
    hung = new_batch("local-array", 3, 3, failures_by_mode={"hang": 3}, status="stopped: 3 hangs")
    gap = {"printed": None, "stage": "batch", "reason": "not tried"}
    changes = {"local_array__delay": {"printed": hung.printed}, "planted_race__delay": gap}
    judged = judge(measure({}, **changes), BASE)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert judged.reason.endswith("; local-array under delay stopped: 3 hangs")


def test_a_tree_that_was_not_installed_has_no_measurement():
    """The answer has the step and the reason, and nothing else."""
    record = replace(measure({}), batches=(), not_run_stage="build", not_run_reason="no compiler")
    judged = judge(record)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert (judged.reason, judged.measurements) == ("build: no compiler", ())


def test_a_base_that_is_seldom_affected_is_no_reference():
    """It is silent under hand-off; the committed results are a better one."""
    seldom = measure({("local-array", "delay"): 2}, "base", date="2023-05-01")
    judged = judge(measure({}), seldom)
    assert judged.reference.kind == "another-machine"
    assert judged.verdict is TreeVerdict.NOT_OBSERVED


def test_workloads_stand_before_controls():
    """Apart from that, measurements keep the order of the plan."""
    ways = [
        (measured.batch.workload, measured.schedule)
        for measured in judge(measure({}), BASE).measurements
    ]
    assert ways == [(planned.workload, planned.schedule) for planned in plan_judge()]
