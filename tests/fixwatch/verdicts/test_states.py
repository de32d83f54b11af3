"""States: what a series says of an upstream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixwatch.statistics.binomial import Counts
from fixwatch.verdicts.judgements import Judgement, Verdict
from fixwatch.verdicts.states import State, analyse_history, derive_state

O, N, I, R = Verdict.OBSERVED, Verdict.NOT_OBSERVED, Verdict.INCONCLUSIVE, Verdict.NOT_RUN  # noqa: E741
COUNTS = {
    O: {"delay": Counts(95, 100), "handoff": Counts(20, 20)},
    N: {"delay": Counts(0, 100), "handoff": Counts(0, 20)},
    I: {},
    R: {},
}


def derive(verdicts):
    """Derive the history and the state of revisions that are as clear as their verdicts."""
    history = analyse_history([COUNTS[verdict] for verdict in verdicts])
    return history, derive_state(history, judge(verdicts))


def judge(verdicts):
    """Return judgements with these verdicts."""
    return [Judgement(verdict, 0.999) for verdict in verdicts]


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
def test_states_follow_from_the_counts_in_order(verdicts, state, since, fixed_in, last_affected):
    """What is undecided neither opens nor closes anything; a recurrence reopens."""
    _, derived = derive(verdicts)
    assert (derived.state, derived.since) == (state, since)
    assert (derived.fixed_in, derived.last_affected) == (fixed_in, last_affected)
    has_confidence = state in (State.AFFECTED, State.FIXED, State.NEVER_OBSERVED)
    assert (derived.confidence is not None) is has_confidence
    assert derived.confidence is None or derived.confidence >= 0.99


def test_every_change_is_listed():
    """Appeared and fixed alternate, each between its neighbours that count."""
    history, _ = derive([N, R, O, O, I, N])
    changes = [(change.kind, change.after, change.at) for change in history.changes]
    assert changes == [("appeared", 0, 2), ("fixed", 3, 5)]
    assert [change.places for change in history.changes] == [(2,), (5,)]
    assert history.affected[1] is history.affected[4] is None


@given(st.lists(st.sampled_from(list(Verdict)), max_size=10))
def test_undecided_revisions_never_matter(verdicts):
    """Leaving them out gives the same state."""
    decided = [verdict for verdict in verdicts if COUNTS[verdict]]
    if decided:
        assert derive(verdicts)[1].state is derive(decided)[1].state


def test_a_stray_count_changes_no_state():
    """One failure among many silent revisions leaves a fix a fix, even in the newest revision."""
    stray = {"delay": Counts(1, 100), "handoff": Counts(0, 20)}
    revisions = [COUNTS[O]] * 10 + [COUNTS[N]] * 20
    verdicts = [O] * 10 + [N] * 20
    for place in (15, 29):
        changed = [*revisions[:place], stray, *revisions[place + 1 :]]
        seen = [*verdicts[:place], O, *verdicts[place + 1 :]]
        state = derive_state(analyse_history(changed), judge(seen))
        assert (state.state, state.fixed_in) == (State.FIXED, 10)


@pytest.mark.parametrize(
    "failures", [(1, 8, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3), (8, 0, 0, 0, 0, 1, 0, 0, 0, 0, 4, 0)]
)
def test_a_change_without_a_sure_revision_after_it_still_has_a_place(failures):
    """The rate is so low that no single revision is surely affected."""
    revisions = [{"delay": Counts(k, 200)} for k in failures]
    state = derive_state(analyse_history(revisions), judge([O] * len(failures)))
    assert isinstance(state.state, State)


def test_what_was_observed_once_was_not_never_observed():
    """A stray failure that makes no history affected is still told."""
    revisions = [{"delay": Counts(k, 100)} for k in (0, 0, 0, 1, 0)]
    state = derive_state(analyse_history(revisions), judge([N, N, N, O, N]))
    assert state.state is State.INCONCLUSIVE


def test_a_low_rate_is_not_taken_for_a_fix():
    """Silence of two revisions says little where one trial in a hundred fails."""
    revisions = [{"delay": Counts(k, 100)} for k in (1, 2, 0, 1, 1, 0, 2, 1, 0, 0)]
    state = derive_state(analyse_history(revisions), judge([O] * 8 + [I] * 2))
    assert state.state in (State.AFFECTED, State.INCONCLUSIVE)


def test_silence_alone_does_not_say_that_nothing_was_there():
    """Without anything affected to compare with, the newest revision's verdict decides."""
    history = analyse_history([COUNTS[N]] * 3)
    assert derive_state(history, judge([I, I, I])).state is State.INCONCLUSIVE
    assert derive_state(history, judge([I, I, N])).state is State.NEVER_OBSERVED
