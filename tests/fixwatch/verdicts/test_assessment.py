"""What a record shows by itself, and how often that is found out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixwatch.configuration import load_configuration
from fixwatch.history.order import load_order
from fixwatch.layout import CONFIGURATIONS
from fixwatch.records.evidence import iter_evidence
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts import assessment
from fixwatch.verdicts.assessment import assess, combine_workloads
from fixwatch.verdicts.controls import check_controls
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import build_series
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_gap,
    new_record,
)
from tests.project import ROOT

AFFECTED = [Counts(90, 100)]
PART = {"printed": new_exploration("atomics-add-sub", run=123).printed}
EXPLORED_CONTROLS = (
    new_exploration(
        "planted-atomics",
        run=72,
        failing="0,0@3:1",
        failures_by_mode={"wrong-result": 1},
        signature_failures=1,
    ),
    new_exploration("atomics-one-kind"),
)


def judge(record, affected=AFFECTED, workload="local-array"):
    """Judge a workload of a record beside revisions that failed so often."""
    return assess(record).judge(workload, lambda _schedule: affected)


def test_the_status_checks_the_controls_once_for_each_record_defect_and_schedule(monkeypatch):
    """A history asks for a record again and again; its controls are checked at the first time."""
    calls = []

    def count_check(record, defect, schedule):
        calls.append((id(record), defect, schedule))
        return check_controls(record, defect, schedule)

    monkeypatch.setattr(assessment, "check_controls", count_check)
    monkeypatch.chdir(ROOT)
    folders = [load_configuration(Path(name)).results_dir for name in CONFIGURATIONS]
    records = [record for folder in folders for record in iter_evidence(folder)]
    ways = {
        (id(record), batch.defect, batch.schedule) for record in records for batch in record.batches
    }
    assert build_series(records, load_order(folders))
    assert 0 < len(calls) == len(set(calls)) <= len(ways)


def test_a_failure_with_the_signature_makes_a_revision_affected_whatever_else_is_silent():
    """Natural decides nothing by its silence, but everything by one failure."""
    natural = new_batch(failures=1, schedule="natural")
    revision = judge(new_record("0.57.0", new_batch(), natural, *new_controls()))
    assert revision.verdict is Verdict.OBSERVED
    assert [measured.schedule for measured in revision.deciding] == ["delay", "natural"]
    assert revision.largest_counts == Counts(1, 100)


def test_a_batch_brings_the_trials_that_showed_the_defect_to_a_history():
    """Failures of another kind in the same batch are left out of its count."""
    modes = {"missing-attribute": 60, "exception": 5}
    record = new_record("0.57.0", new_batch(failures=65, failures_by_mode=modes), *new_controls())
    assert assess(record).count_for_history("local-array") == {"delay": Counts(60, 100)}


def test_silence_under_natural_brings_nothing_to_a_history():
    """A verdict does not rest on it; the other schedules count by themselves."""
    natural = new_batch(schedule="natural")
    record = new_record("0.57.0", new_batch(), natural, *new_controls())
    assert assess(record).count_for_history("local-array") == {"delay": Counts(0, 100)}


def test_a_failure_counts_beside_a_schedule_that_did_not_run():
    """One schedule that shows the defect needs no other one."""
    gap = new_gap("no", schedule="handoff")
    record = new_record("0.57.0", new_batch(failures=90), gap, *new_controls())
    assert assess(record).count_for_history("local-array") == {"delay": Counts(90, 100)}


def test_of_several_schedules_the_longest_is_quoted_and_controls_give_the_confidence():
    """The counts are those of the most trials with the verdict; 0 of 50 controls failed."""
    short = new_batch(failures=20, trials=20, schedule="handoff")
    revision = judge(new_record("0.57.0", short, new_batch(failures=90), *new_controls()))
    assert revision.largest_counts == Counts(90, 100)
    assert revision.judgement.confidence > 0.99


@pytest.mark.parametrize(
    "batches",
    [
        pytest.param((new_batch(), new_controls()[0]), id="no-negative-control"),
        pytest.param((new_batch(), *new_controls(positive=0)), id="silent-positive-control"),
        pytest.param((new_batch(), *new_controls(negative=1)), id="failing-negative-control"),
        pytest.param(
            (
                new_batch(),
                new_gap("no", schedule="handoff"),
                *new_controls(),
            ),
            id="schedule-that-did-not-run",
        ),
    ],
)
def test_silence_that_does_not_count_brings_nothing_to_a_history(batches):
    """A revision whose silence proves nothing must not close a history."""
    assessed = assess(new_record("0.57.0", *batches))
    assert assessed.count_for_history("local-array") == {}
    revision = assessed.judge("local-array", lambda _schedule: AFFECTED)
    assert not revision.verdict.is_decided


def test_a_control_that_upstream_broke_spoils_silence_and_no_failure():
    """While a single thread stays silent, the harness works; what fails beside it is upstream's."""
    controls = (*new_controls(negative=48), new_batch("one-thread", 0, 50))
    for failures, is_spoiled in ((90, False), (0, True)):
        record = new_record("0.57.0", new_batch(failures=failures), *controls)
        (batch,) = assess(record).of_workload("local-array")
        assert (batch.spoiled is not None) is is_spoiled
        # What upstream broke is no measure of the harness either.
        assert batch.controls.negative == Counts(0, 50)


def test_controls_themselves_are_not_spoiled():
    """They have a history of their own, which shows when they misbehaved."""
    record = new_record("0.57.0", new_batch(), *new_controls(positive=0, negative=3))
    assert [batch.spoiled is None for batch in assess(record).batches] == [False, True, True]


def test_a_workload_that_was_not_part_of_the_run_is_not_run():
    """Its reason is that of the record, if nothing could be run at all."""
    revision = judge(new_record("0.57.0", not_run_reason="no wheel"))
    (measurement,) = revision.measurements
    assert (revision.verdict, measurement.judgement.reason) == (Verdict.NOT_RUN, "no wheel")
    assert (measurement.batch, measurement.schedule, measurement.counts) == (None, None, None)
    other = judge(new_record("0.57.0", new_batch(), *new_controls()), workload="shared-array")
    assert other.measurements[0].judgement.reason == "this workload was not part of the run"


def test_one_affected_workload_decides_over_silent_ones():
    """A revision is clean only if all of its workloads are."""
    record = new_record("0.57.0", new_batch(), *new_controls())
    silent, failing = (
        judge(record),
        judge(new_record("0.57.0", new_batch(failures=9), *new_controls())),
    )
    assert combine_workloads([silent, silent]) is Verdict.NOT_OBSERVED
    assert combine_workloads([silent, failing]) is Verdict.OBSERVED
    assert combine_workloads([silent, judge(record, affected=[])]) is Verdict.INCONCLUSIVE


LOST = {"printed": None, "stage": "batch", "reason": "did not finish within 180 s"}


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.NOT_OBSERVED),
        ({"atomics-add-sub": LOST}, Verdict.INCONCLUSIVE),
        ({"atomics-add-max": LOST}, Verdict.INCONCLUSIVE),
        ({"atomics-add-sub": PART}, Verdict.INCONCLUSIVE),
        ({"atomics-add-max": PART}, Verdict.NOT_OBSERVED),
        ({"atomics-add-sub": PART, "atomics-add-max": PART}, Verdict.INCONCLUSIVE),
        ({"atomics-add-sub": LOST, "atomics-add-max": LOST}, Verdict.NOT_RUN),
    ],
)
def test_silence_of_a_defect_that_explore_decides_needs_its_own_workload(changes, verdict):
    """A lost exploration is no silence; a part of one can be left to that workload alone."""
    names = ("atomics-add-sub", "atomics-add-max")
    batches = [replace(new_exploration(name), **changes.get(name, {})) for name in names]
    record = new_record("0.57.0", *batches, *EXPLORED_CONTROLS)
    judged = [judge(record, workload=name) for name in names]
    assert combine_workloads(judged) is verdict


def test_what_was_run_in_part_is_inconclusive_and_not_not_run():
    """It says how much was run; natural alone, too, decides nothing by its silence."""
    part = replace(new_exploration("atomics-add-sub"), **PART)
    revision = judge(new_record("0.57.0", part, *EXPLORED_CONTROLS), workload="atomics-add-sub")
    assert revision.verdict is Verdict.INCONCLUSIVE
    assert "123 of at least 4,832" in revision.measurements[0].judgement.reason
    natural = judge(new_record("0.57.0", new_batch(schedule="natural"), *new_controls()))
    assert natural.verdict is Verdict.INCONCLUSIVE
