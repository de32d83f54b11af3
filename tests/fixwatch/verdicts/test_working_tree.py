"""What counts of a working tree say, with a base beside it as the reference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.judge.batches import plan_judge
from fixwatch.verdicts import working_tree
from fixwatch.verdicts.working_tree import EXIT_STATUS, TreeVerdict, judge
from mwe.planned.plan import MEASUREMENT_VERSION
from tests.fixwatch.sample_records import SIMULATED_DEFECTS, new_batch, new_exploration, new_record

SWAP = plan_judge(defects=["cuda-swap"])
EVERYTHING = plan_judge()
# Of the second defect no schedule decides but explore.
EXPLORED = next(defect for defect in SIMULATED_DEFECTS.values() if defect.schedules == ("explore",))


def measure(failures, name="judged", plan=SWAP, **changes):
    """Return a record of a plan.

    By (workload, schedule) how many trials failed; positive controls fail in all unless it is said
    otherwise, the rest in none. `changes` replaces whole batches, by ``workload__schedule``.
    An exploration that does not fail has run its whole space where the plan gives it the time.
    """
    batches = []
    for planned in plan:
        default = planned.n_trials if planned.role == "positive-control" else 0
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
        own = {"role": planned.role, "decides": planned.identity["decides"]}
        batches.append(replace(batch, **own, **changes.get(key, {})))
    return new_record(name, *batches, source="commits", measurement_version=MEASUREMENT_VERSION)


def fail(plan):
    """Return failures of each workload under each schedule that its defect names."""
    return {
        (planned.workload, planned.schedule): planned.n_trials - 1
        for planned in plan
        if planned.role == "workload" and (planned.identity["decides"] or planned.is_exploration)
    }


RACY = fail(SWAP)
BASE = measure(RACY, "base", date="2023-05-01")
FAILING = fail(EVERYTHING)
WHOLE_BASE = measure(FAILING, "base", EVERYTHING, date="2023-05-01")


def judge_one(record, base=None):
    """Return the verdict on the one defect of a record."""
    (found,) = judge(record, base).defects
    return found


def judge_all(failures, **changes):
    """Return the judged tree, and by name the verdict on each defect."""
    tree = judge(measure(failures, plan=EVERYTHING, **changes), WHOLE_BASE)
    return tree, {found.defect: found for found in tree.defects}


def test_silence_beside_an_affected_base_is_not_observed():
    """The answer has the chance that a wrong fix would have passed."""
    judged = judge_one(measure({}), BASE)
    assert (judged.verdict, EXIT_STATUS[judged.verdict]) == (TreeVerdict.NOT_OBSERVED, 0)
    assert judged.confidence > 0.99
    assert judged.reference.kind == "base"
    assert judged.chances_of_passing[0].chance < 1e-6
    assert judged.broken_controls == ()


def test_silence_is_as_sure_as_its_least_sure_workload():
    """0.8 ** 50 and 0.6 ** 20 are near 1e-5: whatever the others say, no more is known of it."""
    ways = {("shared-array", "delay"): 10, ("shared-array", "handoff"): 8}
    judged = judge_one(measure({}), measure({**RACY, **ways}, "base", date="2023-05-01"))
    assert judged.verdict is TreeVerdict.NOT_OBSERVED
    assert 0.999 < judged.confidence < 1 - 1e-6


@pytest.mark.parametrize("schedule", ["delay", "handoff", "natural", "explore"])
def test_one_failure_is_observed(schedule):
    """It counts under every schedule, also under one whose silence says nothing."""
    judged = judge_one(measure({("local-array", schedule): 1}), BASE)
    assert (judged.verdict, EXIT_STATUS[judged.verdict]) == (TreeVerdict.OBSERVED, 1)
    assert judged.chances_of_passing is None


def test_a_positive_control_that_does_not_fail_spoils_everything():
    """What was observed beside it does not count either."""
    judged = judge_one(measure({**RACY, ("planted-race", "handoff"): 0}), BASE)
    assert (judged.verdict, EXIT_STATUS[judged.verdict]) == (TreeVerdict.COULD_NOT_MEASURE, 3)
    assert "the positive control planted-race did not fail" in judged.reason


def test_a_control_that_only_the_shipped_race_spares_is_a_finding():
    """A wrong fix may break code in one module; it is named, and counts."""
    judged = judge_one(measure({("same-module", "delay"): 18}), BASE)
    assert judged.verdict is TreeVerdict.OBSERVED
    assert judged.broken_controls == ("same-module",)


def test_a_single_thread_that_fails_spoils_everything():
    """Nothing can race in it, so the harness is at fault, or the tree is broken."""
    judged = judge_one(
        measure({**RACY, ("one-thread", "delay"): 1, ("same-module", "delay"): 3}), BASE
    )
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert "the negative control" in judged.reason
    assert judged.broken_controls == ()


@pytest.mark.parametrize("defect", SIMULATED_DEFECTS.values(), ids=SIMULATED_DEFECTS)
def test_a_tree_in_which_all_of_upstreams_code_fails_is_not_observed_to_have_a_defect(defect):
    """It is broken otherwise; controls without upstream code pass in it."""
    failing = {
        (planned.workload, planned.schedule): 1
        for planned in EVERYTHING
        if planned.role != "positive-control"
        and planned.workload in {own.name for own in defect.workloads if own.needs_numba}
    }
    _, found = judge_all(failing)
    assert found[defect.name].verdict is TreeVerdict.COULD_NOT_MEASURE


def test_failures_without_the_signature_are_no_verdict():
    """A tree in which every launch raises something else is broken, neither clean nor affected."""
    modes = {"failures_by_mode": {"exception": 5}, "details": ["TypeError: oops\n  at line 3"]}
    broken = new_batch("local-array", 5, 100, **modes).printed
    judged = judge_one(measure({}, local_array__delay={"printed": broken}), BASE)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert "none with the signature of cuda-swap: 5 exception; TypeError: oops" in judged.reason


def test_a_batch_that_is_missing_is_no_silence():
    """The reason of the answer is that of the missing batch."""
    gap = {"printed": None, "stage": "batch", "reason": "did not finish within 120 s"}
    judged = judge_one(measure({}, shared_array__delay=gap), BASE)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert "did not finish within 120 s" in judged.reason


def test_a_tree_whose_launches_hang_says_so():
    """The batch that was stopped is named, not those that were not tried after it."""
    hung = new_batch("local-array", 3, 3, failures_by_mode={"hang": 3}, status="stopped: 3 hangs")
    gap = {"printed": None, "stage": "batch", "reason": "not tried"}
    changes = {"local_array__delay": {"printed": hung.printed}, "planted_race__delay": gap}
    judged = judge_one(measure({}, **changes), BASE)
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert judged.reason.endswith("; local-array under delay stopped: 3 hangs")


def test_a_tree_that_was_not_installed_has_no_measurement():
    """The answer has the step and the reason, and nothing else."""
    record = replace(measure({}), batches=(), not_run_stage="build", not_run_reason="no compiler")
    judged = judge(record, defects=list(SIMULATED_DEFECTS))
    assert judged.verdict is TreeVerdict.COULD_NOT_MEASURE
    assert (judged.reason, judged.measurements) == ("build: no compiler", ())
    assert {found.defect: found.reason for found in judged.defects} == dict.fromkeys(
        SIMULATED_DEFECTS, "build: no compiler"
    )


def test_a_base_that_is_seldom_affected_is_no_reference():
    """It is silent under hand-off; the committed results are a better one."""
    seldom = measure({("local-array", "delay"): 2}, "base", date="2023-05-01")
    judged = judge_one(measure({}), seldom)
    assert judged.reference.kind == "another-machine"
    assert judged.verdict is TreeVerdict.NOT_OBSERVED


def test_workloads_stand_before_controls():
    """Apart from that, measurements keep the order of the plan."""
    ways = [
        (measured.batch.workload, measured.schedule)
        for measured in judge_one(measure({}), BASE).measurements
    ]
    assert ways == [(planned.workload, planned.schedule) for planned in SWAP]


def test_each_defect_has_a_verdict_of_its_own():
    """One that is observed makes the tree's verdict, and changes none of the others."""
    tree, found = judge_all({})
    assert found.keys() == SIMULATED_DEFECTS.keys()
    assert {judged.verdict for judged in found.values()} == {TreeVerdict.NOT_OBSERVED}
    assert (tree.verdict, EXIT_STATUS[tree.verdict]) == (TreeVerdict.NOT_OBSERVED, 0)
    for defect in SIMULATED_DEFECTS.values():
        ways = [way for way in FAILING if way[0] == defect.default_workload.name]
        tree, found = judge_all({ways[0]: FAILING[ways[0]]})
        observed = {name for name, own in found.items() if own.verdict is TreeVerdict.OBSERVED}
        assert observed == {defect.name}
        assert (tree.verdict, EXIT_STATUS[tree.verdict]) == (TreeVerdict.OBSERVED, 1)


def test_a_defect_is_spoiled_by_its_own_controls_only():
    """Of the others the verdicts stand, and one that is observed is the tree's."""
    blind = {("planted-race", "delay"): 0}
    tree, found = judge_all(blind)
    spoiled = {name for name, own in found.items() if own.reason}
    assert spoiled == {"cuda-swap"}
    assert (tree.verdict, EXIT_STATUS[tree.verdict]) == (TreeVerdict.COULD_NOT_MEASURE, 3)
    assert tree.reason == found["cuda-swap"].reason
    tree, found = judge_all({**blind, (EXPLORED.default_workload.name, "explore"): 1})
    assert found[EXPLORED.name].verdict is TreeVerdict.OBSERVED
    assert (tree.verdict, tree.reason) == (TreeVerdict.OBSERVED, None)


def test_wrong_fixes_are_those_of_the_defect_that_they_were_planted_for():
    """Nothing is known of how others are mended wrongly."""
    _, found = judge_all({})
    chances = {name for name, own in found.items() if own.chances_of_passing}
    assert chances == {"cuda-swap"}


def test_a_defect_is_measured_by_the_base_that_shows_it():
    """A base that shows one defect says nothing of another; explorations need no reference."""
    base = measure(RACY, "base", EVERYTHING, date="2023-05-01")
    tree = judge(measure({}, plan=EVERYTHING), base)
    kinds = {found.defect: found.reference.kind for found in tree.defects}
    assert [defect for defect, kind in kinds.items() if kind == "base"] == ["cuda-swap"]
    explored = next(found for found in tree.defects if found.defect == EXPLORED.name)
    assert (explored.verdict, explored.confidence) == (TreeVerdict.NOT_OBSERVED, None)


def test_results_on_disk_are_read_once_for_all_defects(monkeypatch):
    """They are hundreds of files."""
    calls = []
    recorded = working_tree.load_recorded()
    monkeypatch.setattr(working_tree, "load_recorded", lambda: calls.append(1) or recorded)
    judge(measure({}, plan=EVERYTHING))
    assert calls == [1]


@pytest.mark.parametrize("is_run", [True, False])
def test_the_workload_that_stands_for_a_defect_must_be_explored_to_the_end(is_run):
    """Whole spaces of its other workloads do not make up for it."""
    name = EXPLORED.default_workload.name
    batch = new_exploration(name, run=123)
    gap = {"printed": None, "stage": "batch", "reason": "did not finish within 180 s"}
    change = {"printed": batch.printed} if is_run else gap
    _, found = judge_all({}, **{f"{name}__explore".replace("-", "_"): change})
    assert found[EXPLORED.name].verdict is TreeVerdict.COULD_NOT_MEASURE
    expected = "123 of at least 4,832 schedules run" if is_run else "did not finish within 180 s"
    assert expected in found[EXPLORED.name].reason
