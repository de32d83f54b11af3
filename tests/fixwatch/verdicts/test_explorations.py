"""What explorations show: one experiment each, in words and in histories, and never a rate."""

from __future__ import annotations

from dataclasses import asdict, replace

import pytest
from pydantic import ValidationError

from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import ExploredSpace, parse_printed
from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.assessment import assess
from fixwatch.verdicts.explorations import describe_exploration, summarise_explorations
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.series import build_series
from fixwatch.verdicts.states import State
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_explored_controls,
    new_record,
)

SCHEDULE = "0,0@79:1,1@57:0"
WHOLE = new_exploration()
PART = new_exploration(schedules=11_000, run=1202)
FAILED = new_exploration(run=123, failing=SCHEDULE)
OTHERWISE = new_exploration(run=123, failing=SCHEDULE, failures_by_mode={"wrong-result": 1})
ENDED = new_exploration(
    schedules=6418,
    run=2427,
    trials=2428,
    failures=1,
    failures_by_mode={"hang": 1},
    status="stopped after trial 2428 of 1000000: the process ended",
)
# Rates of affected revisions under whatever is asked for; an exploration has no use for them.
AFFECTED = [Counts(90, 100)]


def record(*explorations, name="0.57.0", failures=0, controls=None, **overrides):
    """Return a record with these explorations beside a batch of repetitions."""
    return new_record(
        name,
        new_batch(failures=failures),
        *explorations,
        *new_controls(),
        *(new_explored_controls() if controls is None else controls),
        **overrides,
    )


def judge(measured, affected=AFFECTED):
    """Return the judged revision, and its exploration's judgement."""
    revision = assess(measured).judge("local-array", lambda _schedule: affected)
    explored = [found for found in revision.measurements if found.schedule == "explore"]
    return revision, explored[0].judgement


@pytest.mark.parametrize(
    ("batch", "verdict", "reason"),
    [
        pytest.param(FAILED, Verdict.OBSERVED, None, id="failed"),
        pytest.param(WHOLE, Verdict.NOT_OBSERVED, None, id="whole-space"),
        pytest.param(
            PART,
            Verdict.INCONCLUSIVE,
            "1,202 of at least 11,000 schedules run, none failed: no proof",
            id="part",
        ),
        pytest.param(
            OTHERWISE,
            Verdict.INCONCLUSIVE,
            "failures, but none with the signature of cuda-swap: 1 wrong-result",
            id="failed-otherwise",
        ),
    ],
)
def test_an_exploration_is_judged_without_a_probability(batch, verdict, reason):
    """What other revisions failed at is no measure of it, and it has no confidence."""
    for affected in ([], AFFECTED):
        _, judgement = judge(record(batch), affected)
        assert (judgement.verdict, judgement.confidence, judgement.reason) == (
            verdict,
            None,
            reason,
        )


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        (
            FAILED,
            "schedule 0,0@79:1,1@57:0 failed, the 123rd of at least 4,832; replay: "
            "python -m mwe --workload local-array --replay 0,0@79:1,1@57:0",
        ),
        (
            OTHERWISE,
            "schedule 0,0@79:1,1@57:0 failed, not in the way of cuda-swap, the 123rd of at least "
            "4,832; replay: python -m mwe --workload local-array --replay 0,0@79:1,1@57:0",
        ),
        (
            WHOLE,
            "all 4,832 schedules of 2 threads with at most 2 forced switches: none failed "
            "(a proof up to this bound, on this Python)",
        ),
        (PART, "1,202 of at least 11,000 schedules run, none failed: no proof"),
        (
            new_exploration(schedules=11_000, run=1202, trials=1210),
            "1,202 of at least 11,000 schedules run, none failed: no proof",
        ),
        (replace(WHOLE, printed=None), "not run"),
        (
            ENDED,
            "its process ended after 2,427 of at least 6,418 schedules (hang): no proof",
        ),
    ],
)
def test_an_exploration_is_worded_as_what_it_is(batch, words):
    """A schedule to run again, a proof up to a bound, or no proof."""
    assert describe_exploration(batch) == words


def test_explorations_of_several_workloads_are_summed_up():
    """Failures come first, and batches of repetitions are none of it."""
    shared = new_exploration("shared-array")
    assert summarise_explorations([new_batch(), WHOLE, shared, PART, FAILED, ENDED]) == (
        "a schedule failed in local-array; every schedule passed in local-array, shared-array; "
        f"a part was run, none failed, in local-array; the process ended in {ENDED.workload}"
    )
    assert summarise_explorations([new_batch()]) == ""
    words = "a schedule failed in another way in local-array"
    assert summarise_explorations([OTHERWISE]) == words


@pytest.mark.parametrize(
    ("batch", "counts"),
    [(FAILED, Counts(1, 1)), (WHOLE, Counts(0, 1)), (PART, None)],
)
def test_an_exploration_is_one_experiment_of_a_history(batch, counts):
    """However many schedules it ran; a part without a failure is none."""
    found = assess(record(batch)).count_for_history("local-array")
    assert found.get("explore") == counts
    assert found["delay"] == Counts(0, 100)


def test_a_part_of_a_space_decides_nothing():
    """A revision is as silent as its other schedules are."""
    revision, _ = judge(record(PART))
    assert revision.verdict is Verdict.NOT_OBSERVED
    assert [found.schedule for found in revision.deciding] == ["delay"]
    assert revision.judgement == judge(record(WHOLE))[0].judgement


def test_a_process_that_ended_is_no_failure_of_a_schedule():
    """It may be the explorer's own, and nothing can be replayed: it is as a part that was run."""
    revision, judgement = judge(record(ENDED))
    assert (judgement.verdict, judgement.reason) == (
        Verdict.INCONCLUSIVE,
        "its process ended after 2,427 of at least 6,418 schedules (hang): no proof",
    )
    assert revision.verdict is Verdict.NOT_OBSERVED
    assert set(assess(record(ENDED)).count_for_history("local-array")) == {"delay"}
    control = replace(ENDED, workload="same-module", role="negative-control")
    controls = (new_explored_controls()[0], control)
    assert judge(record(FAILED, controls=controls))[1].verdict is Verdict.OBSERVED


def test_a_whole_space_does_not_make_up_for_another_schedule():
    """It proves up to its bound, and delay reaches beyond."""
    revision, _ = judge(record(WHOLE), affected=[])
    assert revision.verdict is Verdict.INCONCLUSIVE
    assert [found.schedule for found in revision.deciding] == ["delay", "explore"]


def test_one_failing_schedule_makes_a_revision_affected():
    """Silence of the sampling schedules does not outweigh it, and its trials are in no rate."""
    revision, _ = judge(record(FAILED))
    assert revision.verdict is Verdict.OBSERVED
    assert (revision.counts, revision.largest_counts) == (Counts(0, 100), None)
    assert revision.judgement.confidence is None


def test_confidence_is_that_of_the_schedules_that_have_rates():
    """An exploration makes it neither better nor worse."""
    for failures, batch in ((90, FAILED), (0, WHOLE)):
        beside = judge(record(batch, failures=failures))[0].judgement
        alone = assess(record(failures=failures)).judge("local-array", lambda _: AFFECTED).judgement
        assert beside.confidence == alone.confidence is not None


def test_a_failure_of_another_kind_leaves_silence_undecided():
    """Something failed, so the revision does not count as clean."""
    assert assess(record(OTHERWISE)).count_for_history("local-array") == {}
    assert judge(record(OTHERWISE))[0].verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("controls", "problem"),
    [
        (
            new_explored_controls(positive=None),
            "the positive control planted-race did not fail in 72 schedules of the same run",
        ),
        (
            new_explored_controls(negative="0,0@3:1"),
            "the negative control same-module failed in 1 of 2000 schedules of the same run",
        ),
    ],
)
def test_controls_of_explore_that_misbehave_spoil_it(controls, problem):
    """Neither its failure nor its whole space counts then."""
    for batch in (FAILED, WHOLE):
        measured = record(batch, controls=controls)
        revision, judgement = judge(measured)
        assert (judgement.verdict, judgement.reason) == (
            Verdict.INCONCLUSIVE,
            f"does not count: {problem}",
        )
        assert not revision.verdict.is_decided
        assert assess(measured).count_for_history("local-array") == {}


def test_the_controls_of_other_schedules_give_it_no_confidence_either():
    """They stand in where it has none of its own, but the rate of their trials is not its own."""
    _, judgement = judge(record(FAILED, controls=()))
    assert (judgement.verdict, judgement.confidence) == (Verdict.OBSERVED, None)


def test_a_negative_control_need_not_be_explored_to_the_end():
    """It only has to be silent; the positive one has to fail."""
    whole = (new_explored_controls()[0], new_exploration("same-module"))
    for controls in (whole, new_explored_controls()):
        assert judge(record(FAILED, controls=controls))[1].verdict is Verdict.OBSERVED


def find_series(records):
    """Return the series of the workload."""
    series = build_series(records, RevisionOrder())
    return next(found for found in series if found.key.workload == "local-array")


def test_a_race_that_only_explorations_find_has_a_history():
    """It was fixed where the first whole space without a failure is, though delay never failed."""
    records = [
        record(
            FAILED if index < 6 else WHOLE,
            name=f"0.{50 + index}.0",
            date=f"2023-01-{index + 1:02}T00:00:00+00:00",
        )
        for index in range(14)
    ]
    own = find_series(records)
    assert [revision.verdict for revision in own.revisions[:6]] == [Verdict.OBSERVED] * 6
    # Two whole spaces behind are sure, one is not yet.
    assert (own.state.state, own.state.fixed_in) == (State.FIXED, 6)
    assert find_series(records[:8]).state.state is State.FIXED
    assert find_series(records[:7]).state.state is State.INCONCLUSIVE


def test_a_space_whose_numbers_do_not_go_together_is_refused():
    """A stranger's record cannot claim a whole space of which schedules are left."""
    bounds = {"switches": 2, "threads": 2, "points": 5}
    for run, exhausted in ((9, True), (10, False), (11, False)):
        with pytest.raises(ValueError, match="impossible space"):
            ExploredSpace(schedules=10, run=run, exhausted=exhausted, **bounds)


def test_a_schedule_that_a_shell_would_not_take_for_one_is_refused():
    """Its text stands in a command that people copy."""
    with pytest.raises(ValidationError, match="first_failure_schedule"):
        replace_schedule("0; rm -rf ~")
    assert replace_schedule(SCHEDULE).first_failure_schedule == SCHEDULE


def replace_schedule(text):
    """Return what is read of an exploration that says that this schedule failed."""
    return parse_printed({**asdict(FAILED.printed), "first_failure_schedule": text})


def split_beside_a_swap(run, mode="missing-attribute"):
    """Return a judged exploration of split arrays in which 23 schedules failed otherwise."""
    batch = new_exploration(
        "shared-split-helper",
        schedules=2938,
        run=run,
        failing="0,0@93:1,1@51:0",
        failures=23,
        failures_by_mode={mode: 23},
        signature_failures=0,
    )
    controls = [replace(control, defect="shared-split") for control in new_explored_controls()]
    measured = new_record("0.68.1", batch, *controls)
    return assess(measured).judge("shared-split-helper", lambda _schedule: [])


def test_schedules_that_met_a_defect_which_its_error_names_say_nothing_of_another():
    """A patch of one defect can be judged while the other is still there."""
    whole = split_beside_a_swap(2938).measurements[0]
    assert whole.decides
    assert whole.judgement.verdict is Verdict.NOT_OBSERVED
    assert whole.judgement.reason == "23 of its schedules met cuda-swap, the others passed"
    part = split_beside_a_swap(1200)
    assert part.measurements[0].judgement.verdict is Verdict.INCONCLUSIVE
    assert part.can_be_left_out


def test_a_wrong_number_may_be_any_defects():
    """It is no other defect's by its error, and leaves the revision open."""
    for run in (1200, 2938):
        revision = split_beside_a_swap(run, "exception")
        assert revision.verdict is Verdict.INCONCLUSIVE
        assert not revision.can_be_left_out
