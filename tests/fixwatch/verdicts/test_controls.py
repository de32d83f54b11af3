"""Controls speak for their own defect and schedule, and for no other."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.assessment import assess
from fixwatch.verdicts.controls import check_controls
from fixwatch.verdicts.judgements import Verdict
from tests.fixwatch.sample_records import new_batch, new_controls, new_record


def of_another(*batches):
    """Return the same batches as those of another defect, with workloads of its own."""
    return tuple(
        replace(batch, defect="another", workload=f"another-{batch.workload}") for batch in batches
    )


def verdict_of(record, workload):
    """Return the verdict of a workload beside affected revisions."""
    return assess(record).judge(workload, lambda _schedule: [Counts(90, 100)]).verdict


@pytest.mark.parametrize("broken", [{"positive": 0}, {"negative": 3}], ids=str)
def test_a_control_that_misbehaves_spoils_its_own_defect_only(broken):
    """The other one's workload is judged by the controls of its own."""
    record = new_record(
        "0.57.0",
        new_batch(failures=90),
        *new_controls(),
        *of_another(new_batch(failures=90), *new_controls(**broken)),
    )
    assert verdict_of(record, "local-array") is Verdict.OBSERVED
    assert verdict_of(record, "another-local-array") is Verdict.INCONCLUSIVE


def test_controls_of_another_defect_do_not_stand_in():
    """Without a control of its own, nothing says that the harness can see the defect."""
    record = new_record("0.57.0", new_batch(failures=90), *of_another(*new_controls()))
    check = check_controls(record, "cuda-swap", "delay")
    assert "no positive-control was part of the run" in check.why_failures_are_ignored


def test_a_control_is_asked_under_the_schedule_that_it_checks():
    """A planted race that hand-off misses says nothing of delay."""
    blind = new_batch("planted-race", 0, 20, schedule="handoff")
    silent = new_batch("same-module", 0, 20, schedule="handoff")
    record = new_record("0.57.0", *new_controls(), blind, silent)
    assert check_controls(record, "cuda-swap", "delay").why_silence_is_ignored is None
    reason = check_controls(record, "cuda-swap", "handoff").why_silence_is_ignored
    assert "planted-race did not fail in 20 trials" in reason


def test_a_harness_control_of_another_defect_excuses_no_control():
    """Only the defect's own says that upstream broke a control, and not the harness."""
    broken = new_batch("same-module", 3)
    excuse = replace(new_batch("one-thread"), defect="another", workload="another-one-thread")
    controls = (new_controls()[0], broken)
    for batches, is_excused in (((excuse,), False), ((new_batch("one-thread"),), True)):
        record = new_record("0.57.0", new_batch(failures=90), *controls, *batches)
        check = check_controls(record, "cuda-swap", "delay")
        assert (check.why_failures_are_ignored is None) is is_excused
