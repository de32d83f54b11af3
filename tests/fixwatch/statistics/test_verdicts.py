"""Verdicts of measurements, and states of series."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixwatch.statistics.binomial import Counts
from fixwatch.statistics.verdicts import (
    Change,
    State,
    Verdict,
    combine_verdicts,
    derive_state,
    judge_batch,
)

O, N, I, R = Verdict.OBSERVED, Verdict.NOT_OBSERVED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN  # noqa: E741


def judge(failures, trials, mode="missing-attribute", affected=(), negative=None):
    """Judge a batch whose failures are all of one mode."""
    modes = {mode: failures} if failures else {}
    return judge_batch(Counts(failures, trials), modes, affected, negative)


@pytest.mark.parametrize("mode", ["missing-attribute", "leaked-global"])
def test_one_failure_with_the_races_signature_decides(mode):
    """One of 10,000 is observed."""
    assert judge(1, 10_000, mode).verdict is O


@pytest.mark.parametrize("mode", ["exception", "wrong-result", "hang", "crash"])
def test_failures_of_another_kind_decide_nothing(mode):
    """A broken environment is neither affected nor fixed, and the reason says what failed."""
    judgement = judge(100, 100, mode, affected=[Counts(90, 100)])
    assert judgement.verdict is I
    assert f"100 {mode}" in judgement.reason


def test_silence_counts_when_an_affected_revision_would_have_failed():
    """At 90 of 100, 100 silent trials leave a chance far below 1 %."""
    judgement = judge(0, 100, affected=[Counts(90, 100)])
    assert judgement.verdict is N
    assert judgement.confidence > 0.99


def test_silence_says_nothing_without_an_affected_revision():
    """Nobody knows then whether one would have failed."""
    assert judge(0, 100_000).verdict is I


def test_the_rate_hardest_to_see_decides():
    """Beside 90 of 100, a revision with 1 of 100 makes 100 silent trials inconclusive."""
    judgement = judge(0, 100, affected=[Counts(90, 100), Counts(1, 100)])
    assert judgement.verdict is I
    assert "chance of" in judgement.reason


def test_too_few_silent_trials_are_inconclusive():
    """At 90 of 100: P(0 of 1) is about 0.1, P(0 of 3) is below 1 %."""
    assert judge(0, 1, affected=[Counts(90, 100)]).verdict is I
    assert judge(0, 3, affected=[Counts(90, 100)]).verdict is N


def test_confidence_of_an_observation_comes_from_the_negative_controls():
    """90 of 100 beside 0 of 150 is no artefact; 1 of 100 beside it may be."""
    assert judge(90, 100, negative=Counts(0, 150)).confidence > 0.9999
    assert judge(1, 100, negative=Counts(0, 150)).confidence < 0.9
    assert judge(1, 100).confidence is None


def test_one_observation_decides_a_revision_but_not_one_silence():
    """A schedule that did not run, or says nothing, never reads as silence."""
    assert combine_verdicts([N, O]) is O
    assert combine_verdicts([R, O]) is O
    assert combine_verdicts([N, N]) is N
    assert combine_verdicts([N, R]) is I
    assert combine_verdicts([N, I]) is I
    assert combine_verdicts([R, I]) is I
    assert combine_verdicts([R]) is R
    assert combine_verdicts([]) is R


@pytest.mark.parametrize(
    ("verdicts", "state", "since", "fixed_in", "last_affected"),
    [
        ([], State.NOT_RUN, None, None, None),
        ([R, R], State.NOT_RUN, None, None, None),
        ([R, I], State.INCONCLUSIVE, None, None, None),
        ([O, O], State.AFFECTED, 0, None, None),
        ([N, N], State.NEVER_OBSERVED, None, None, None),
        ([O, O, N, N], State.FIXED, 2, 2, 1),
        ([O, R, I, N], State.FIXED, 3, 3, 0),
        ([N, O], State.AFFECTED, 1, None, None),
        ([O, N, O, N], State.FIXED, 3, 3, 2),
        ([O, N, O], State.AFFECTED, 2, None, None),
        ([O, N, R], State.FIXED, 1, 1, 0),
        ([O, I], State.AFFECTED, 0, None, None),
    ],
)
def test_states_follow_from_verdicts_in_order(verdicts, state, since, fixed_in, last_affected):
    """What is undecided neither opens nor closes anything."""
    derived = derive_state(verdicts)
    assert (derived.state, derived.since) == (state, since)
    assert (derived.fixed_in, derived.last_affected) == (fixed_in, last_affected)


def test_every_change_is_listed():
    """Appeared and fixed alternate, each between its decided neighbours."""
    assert derive_state([N, R, O, O, I, N]).changes == (
        Change("appeared", 0, 2),
        Change("fixed", 3, 5),
    )


@given(st.lists(st.sampled_from(list(Verdict)), max_size=12))
def test_undecided_revisions_never_matter(verdicts):
    """Leaving them out gives the same state."""
    decided = [verdict for verdict in verdicts if verdict in (O, N)]
    if decided:
        assert derive_state(verdicts).state is derive_state(decided).state
    kinds = [change.kind for change in derive_state(verdicts).changes]
    assert all(a != b for a, b in pairwise(kinds))
