"""What counts of a working tree say, with a base beside it as the reference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.judge.batches import plan_judge
from fixwatch.verdicts.working_tree import EXIT_STATUS, Outcome, judge
from mwe.planned.plan import MEASUREMENT_VERSION
from tests.fixwatch.sample_records import new_batch, new_record


def measure(failures, name="judged", **changes):
    """Return a record of the whole plan.

    By (workload, schedule) how many trials failed; planted-race fails in all unless it is said
    otherwise, the rest in none. `changes` replaces whole batches, by ``workload__schedule``.
    """
    batches = []
    for planned in plan_judge():
        default = planned.n_trials if planned.workload == "planted-race" else 0
        way = (planned.workload, planned.schedule)
        batch = new_batch(
            planned.workload,
            failures.get(way, default),
            planned.n_trials,
            schedule=planned.schedule,
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
    """With the chance that a wrong fix would have passed."""
    answer = judge(measure({}), BASE)
    assert (answer.outcome, EXIT_STATUS[answer.outcome]) == (Outcome.NOT_OBSERVED, 0)
    assert answer.confidence > 0.99
    assert answer.reference.kind == "base"
    assert answer.chances_of_passing[0].chance < 1e-9
    assert answer.broken_controls == ()


def test_silence_is_as_sure_as_its_least_sure_workload():
    """0.8 ** 50 and 0.6 ** 20 are near 1e-5: whatever the others say, no more is known of it."""
    ways = {("shared-array", "delay"): 10, ("shared-array", "handoff"): 8}
    answer = judge(measure({}), measure({**RACY, **ways}, "base", date="2023-05-01"))
    assert answer.outcome is Outcome.NOT_OBSERVED
    assert 0.999 < answer.confidence < 1 - 1e-6


@pytest.mark.parametrize("schedule", ["delay", "handoff", "natural"])
def test_one_failure_is_observed(schedule):
    """Under any schedule, also the one whose silence says nothing."""
    answer = judge(measure({("local-array", schedule): 1}), BASE)
    assert (answer.outcome, EXIT_STATUS[answer.outcome]) == (Outcome.OBSERVED, 1)
    assert answer.chances_of_passing is None


def test_a_positive_control_that_does_not_fail_spoils_everything():
    """Also what was observed."""
    answer = judge(measure({**RACY, ("planted-race", "handoff"): 0}), BASE)
    assert (answer.outcome, EXIT_STATUS[answer.outcome]) == (Outcome.COULD_NOT_MEASURE, 3)
    assert "the positive control planted-race did not fail" in answer.reason


def test_a_control_that_only_the_shipped_race_spares_is_a_finding():
    """A wrong fix may break code in one module; it is named, and counts."""
    answer = judge(measure({("same-module", "delay"): 48}), BASE)
    assert answer.outcome is Outcome.OBSERVED
    assert answer.broken_controls == ("same-module",)


def test_a_single_thread_that_fails_spoils_everything():
    """Nothing can race in it, so the harness is at fault, or the tree is broken."""
    answer = judge(measure({**RACY, ("one-thread", "delay"): 1, ("same-module", "delay"): 3}), BASE)
    assert answer.outcome is Outcome.COULD_NOT_MEASURE
    assert "the negative control" in answer.reason
    assert answer.broken_controls == ()


def test_failures_without_the_signature_are_no_verdict():
    """A tree in which every launch raises something else is broken, neither clean nor affected."""
    modes = {"failures_by_mode": {"exception": 5}, "details": ["TypeError: oops\n  at line 3"]}
    broken = new_batch("local-array", 5, 100, **modes).printed
    answer = judge(measure({}, local_array__delay={"printed": broken}), BASE)
    assert answer.outcome is Outcome.COULD_NOT_MEASURE
    assert "none with the race's signature: 5 exception; TypeError: oops" in answer.reason


def test_a_batch_that_is_missing_is_no_silence():
    """Its reason is the answer's."""
    gap = {"printed": None, "stage": "batch", "reason": "did not finish within 120 s"}
    answer = judge(measure({}, shared_array__delay=gap), BASE)
    assert answer.outcome is Outcome.COULD_NOT_MEASURE
    assert "did not finish within 120 s" in answer.reason


def test_a_tree_whose_launches_hang_says_so():
    """The batch that was stopped is named, not those that were not tried after it."""
    hung = new_batch("local-array", 3, 3, failures_by_mode={"hang": 3}, status="stopped: 3 hangs")
    gap = {"printed": None, "stage": "batch", "reason": "not tried"}
    changes = {"local_array__delay": {"printed": hung.printed}, "planted_race__delay": gap}
    answer = judge(measure({}, **changes), BASE)
    assert answer.outcome is Outcome.COULD_NOT_MEASURE
    assert answer.reason.endswith("; local-array under delay stopped: 3 hangs")


def test_a_tree_that_was_not_installed_has_no_measurement():
    """The step and the reason are all there is."""
    record = replace(measure({}), batches=(), not_run_stage="build", not_run_reason="no compiler")
    answer = judge(record)
    assert answer.outcome is Outcome.COULD_NOT_MEASURE
    assert (answer.reason, answer.measurements) == ("build: no compiler", ())


def test_a_base_that_is_seldom_affected_is_no_reference():
    """It is silent under hand-off; the committed results are a better one."""
    seldom = measure({("local-array", "delay"): 2}, "base", date="2023-05-01")
    answer = judge(measure({}), seldom)
    assert answer.reference.kind == "another-machine"
    assert answer.outcome is Outcome.NOT_OBSERVED


def test_workloads_stand_before_controls():
    """In the order of the plan."""
    ways = [(each.batch.workload, each.schedule) for each in judge(measure({}), BASE).measurements]
    assert ways == [(planned.workload, planned.schedule) for planned in plan_judge()]
