"""What a test's failures are taken for, given what becomes of them where a defect is repaired."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.mine.findings import (
    RELEASE,
    SHIELD,
    Counterfactual,
    MineVerdict,
    find,
    has_ended,
)
from fixwatch.commands.mine.runs import ScheduleRun, TestRun

TEST = "test_it.py::test_it"
SUSPECTS = ["shared-split", "mixed-atomics", "host-launch"]


def new_schedule(schedule, trials, failures=0, by_defect=None):
    """Return the counts of a schedule."""
    return ScheduleRun(
        schedule=schedule,
        trials=trials,
        failures=failures,
        failures_by_mode={},
        failures_by_defect=by_defect or {},
        skipped=0,
        first_failure_trial=1 if failures else None,
        first_failure_schedule=None,
        seed=0,
        details=[],
        space=None,
        duration_s=1.0,
        status="complete",
    )


def new_test(*schedules, verdict="not-shown", defect=None, suspects=()):
    """Return what a test showed."""
    return TestRun(
        test=TEST,
        verdict=verdict,
        defect=defect,
        suspects=list(suspects),
        fails_by_itself=False,
        answer="fails otherwise: an assertion of its own fails",
        schedules=list(schedules),
        replay=None,
        interleaving=None,
        duration_s=1.0,
    )


def new_named(n_failures):
    """Return a test whose error names the swap so often."""
    by_defect = {"cuda-swap": n_failures} if n_failures else {}
    schedule = new_schedule("delay", 20, n_failures, by_defect)
    return new_test(schedule, verdict="defect", defect="cuda-swap")


SILENT = new_test(new_schedule("natural", 5), new_schedule("delay", 20))
WRONG = new_test(
    new_schedule("natural", 5),
    new_schedule("explore", 60, 1),
    verdict="fails-otherwise",
    suspects=SUSPECTS,
)


RIGHT = new_test(new_schedule("natural", 5), new_schedule("explore", 60))


def shielded(run):
    """Return the environment with the shield, in which a test showed this."""
    return Counterfactual(SHIELD, "with the shield", ("cuda-swap", *SUSPECTS), {TEST: run})


def released(run, free_of=("cuda-swap",)):
    """Return the environment with another release."""
    return Counterfactual(RELEASE, "with numba-cuda 0.30.4", free_of, {TEST: run})


def test_an_error_that_ends_with_the_repair_is_the_defect():
    """Both counterfactuals are silent."""
    finding = find(new_named(12), [shielded(SILENT), released(SILENT)])
    assert (finding.verdict, finding.defect) == (MineVerdict.DEFECT, "cuda-swap")
    assert finding.text == (
        "this is cuda-swap: its error in 12 of 20 runs under delay, 0 of 25 runs with the shield, "
        "0 of 25 runs with numba-cuda 0.30.4 (first under delay, run 1, seed 0)"
    )


def test_an_error_that_the_repair_does_not_end_is_not_the_defect():
    """A plain function that a kernel calls fails with the same words, whatever the simulator."""
    finding = find(new_named(20), [shielded(new_named(20)), released(SILENT)])
    assert (finding.verdict, finding.defect) == (MineVerdict.FAILS_OTHERWISE, None)
    assert "20 of 20 runs with the shield" in finding.text


def test_an_environment_that_has_the_defect_says_nothing_of_it():
    """The error is expected there."""
    other = released(new_named(20), free_of=("host-launch",))
    finding = find(new_named(12), [shielded(SILENT), other])
    assert finding.verdict is MineVerdict.DEFECT
    assert "0.30.4" not in finding.text


def test_an_error_without_anything_to_compare_with_only_looks_like_the_defect():
    """The text says so."""
    failed = Counterfactual(SHIELD, "with the shield", (), {}, "the shield does not hold here")
    finding = find(new_named(12), [failed])
    assert finding.verdict is MineVerdict.DEFECT
    assert finding.text.startswith("this looks like cuda-swap: ")


def test_wrong_numbers_are_the_defect_whose_repair_alone_ends_them():
    """Nothing else of the simulator was changed."""
    alone = {"shared-split": RIGHT, "mixed-atomics": WRONG, "host-launch": WRONG}
    finding = find(WRONG, [shielded(RIGHT)], alone)
    assert (finding.verdict, finding.defect) == (MineVerdict.DEFECT, "shared-split")
    assert "1 of 65 runs failed here" in finding.text
    assert "0 of 65 runs failed when the shield repairs shared-split alone" in finding.text


def test_wrong_numbers_that_any_repair_ends_are_not_told():
    """They are too rare."""
    finding = find(WRONG, [shielded(RIGHT)], dict.fromkeys(SUSPECTS, RIGHT))
    assert (finding.verdict, finding.defect) == (MineVerdict.FAILS_OTHERWISE, None)
    assert "not often enough to tell" in finding.text


def test_wrong_numbers_that_the_shield_does_not_end_are_not_a_defect():
    """The counts stand beside each other."""
    finding = find(WRONG, [shielded(WRONG)])
    assert (finding.verdict, finding.defect) == (MineVerdict.FAILS_OTHERWISE, None)
    assert "1 of 65 runs failed with the shield" in finding.text


def test_a_test_that_was_not_run_at_all_is_not_silent():
    """A repair under which nothing ran ends nothing."""
    finding = find(WRONG, [shielded(SILENT)], {"shared-split": new_test()})
    assert finding.verdict is MineVerdict.FAILS_OTHERWISE


def test_a_repair_that_could_not_be_run_alone_leaves_it_open():
    """It may be the one that ends it, as well."""
    alone = {"shared-split": RIGHT, "mixed-atomics": WRONG}
    finding = find(WRONG, [shielded(RIGHT)], alone)
    assert (finding.verdict, finding.defect) == (MineVerdict.FAILS_OTHERWISE, None)
    assert "could not be run with the repair of host-launch alone" in finding.text


def test_a_rare_failure_that_stays_out_in_a_few_runs_has_not_ended():
    """One of 25 fails here; that none of 25 does is as likely as not."""
    rare = new_test(new_schedule("delay", 25, 1), verdict="fails-otherwise", suspects=SUSPECTS)
    few, many = new_test(new_schedule("delay", 25)), new_test(new_schedule("delay", 250))
    assert not has_ended(rare, few)
    assert has_ended(rare, many)
    finding = find(rare, [], {"shared-split": few, "mixed-atomics": rare, "host-launch": rare})
    assert finding.verdict is MineVerdict.FAILS_OTHERWISE


def test_fewer_explored_schedules_than_here_say_nothing():
    """The one that failed may be among the rest."""
    assert not has_ended(WRONG, new_test(new_schedule("explore", 30)))


@pytest.mark.parametrize(
    "elsewhere",
    [
        new_test(new_schedule("delay", 0)),
        replace(new_test(new_schedule("delay", 20, 20)), fails_by_itself=True),
    ],
    ids=["not run", "broken there"],
)
def test_a_comparison_that_was_not_run_or_broke_by_itself_proves_nothing(elsewhere):
    """The error remains a likeness."""
    finding = find(new_named(3), [shielded(elsewhere)])
    assert (finding.verdict, finding.defect) == (MineVerdict.DEFECT, "cuda-swap")
    assert "there is nothing to compare with" in finding.text


def test_what_failed_nowhere_is_not_shown():
    """The answer is that of the runs."""
    assert find(SILENT, []).verdict is MineVerdict.NOT_SHOWN
