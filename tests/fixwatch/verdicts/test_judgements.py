"""Verdicts of measurements, and states of series."""

from __future__ import annotations

import pytest

from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.judgements import (
    Verdict,
    combine_verdicts,
    judge_batch,
)
from fixwatch.verdicts.targets import SIMULATOR
from tests.fixwatch.sample_records import new_batch

O, N, I, R = Verdict.OBSERVED, Verdict.NOT_OBSERVED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN  # noqa: E741


def judge(failures, trials, mode="missing-attribute", affected=(), negative=None):
    """Judge a batch whose failures are all of one mode."""
    batch = new_batch(failures=failures, trials=trials, failures_by_mode={mode: failures})
    return judge_batch(SIMULATOR, batch, affected, negative)


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


def test_refused_launches_are_not_observed_and_say_so():
    """Nobody gets a wrong result from them; no affected revision is needed to know that."""
    batch = new_batch(trials=20, refusals=19)
    judgement = judge_batch(SIMULATOR, batch, [], None)
    assert judgement.verdict is N
    assert judgement.reason == "19 of 20 launches were refused, with an error that says so"


@pytest.mark.parametrize(
    ("refusals", "affected", "verdict"),
    [(18, [], N), (17, [], I), (1, [], I), (1, [Counts(90, 100)], N), (17, [Counts(30, 100)], I)],
)
def test_a_few_refused_launches_are_silence_as_any_other(refusals, affected, verdict):
    """Of 20: from 18 on upstream refuses; before that, those that ran say what silence is worth."""
    batch = new_batch(trials=20, refusals=refusals)
    assert judge_batch(SIMULATOR, batch, affected, None).verdict is verdict


def test_one_failure_among_refused_launches_is_observed():
    """A limit that holds sometimes is none."""
    batch = new_batch(failures=1, trials=20, refusals=19)
    assert judge_batch(SIMULATOR, batch, [], None).verdict is O


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
