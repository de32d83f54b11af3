"""The posterior over one change: against every hypothesis written down, and what trials may say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixwatch.statistics.change_points import EXPECTED_CHANGES
from fixwatch.statistics.noisy_counts import (
    NOISES,
    TrialKind,
    weigh_affected,
    weigh_clean,
    weigh_means,
)
from fixwatch.statistics.single_change import (
    MAX_TOLD_APART,
    MIN_AFFECTED_RATE,
    ChangeKind,
    SingleChange,
)

SAMPLED, EXPLORED, DECISIVE = TrialKind


def weigh_hypotheses(failures, trials, kinds):
    """Return the weight of every hypothesis: kind and place, or whether all are affected."""
    k, n = np.array(failures, dtype=float), np.array(trials, dtype=float)
    clean = np.exp(weigh_clean(k, n, kinds))
    affected = np.exp(weigh_affected(k, n, kinds))
    means = weigh_means(kinds, MIN_AFFECTED_RATE)

    def weigh(is_affected):
        total = 0.0
        for number, noise in enumerate(NOISES):
            sides = means * affected[is_affected, number].prod(axis=0)
            total += noise.probability * sides.sum(axis=1).prod()
        return total * clean[~is_affected].prod()

    places = np.arange(len(k))
    weights = {}
    for at in places[1:]:
        for kind, is_affected in (
            (ChangeKind.APPEARED, places >= at),
            (ChangeKind.FIXED, places < at),
        ):
            weights[kind, at] = EXPECTED_CHANGES / (len(k) - 1) * weigh(is_affected)
    for is_affected in (False, True):
        weights[is_affected] = weigh(np.full(len(k), is_affected))
    return weights


def enumerate_hypotheses(failures, trials, kinds):
    """Return the probability of every hypothesis."""
    weights = weigh_hypotheses(failures, trials, kinds)
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


@pytest.mark.parametrize(
    ("failures", "trials", "kinds"),
    [
        ([[3], [0], [0], [0]], [[10], [0], [8], [12]], [SAMPLED]),
        ([[0], [0], [4], [9]], [[10], [0], [10], [10]], [SAMPLED]),
        ([[9], [2], [0], [1]], [[10], [10], [0], [10]], [SAMPLED]),
        ([[3, 1], [0, 0], [0, 0]], [[5, 2], [0, 0], [6, 0]], [SAMPLED, SAMPLED]),
        ([[3, 1], [0, 0], [0, 0]], [[5, 1], [0, 0], [6, 1]], [SAMPLED, EXPLORED]),
        ([[3, 1], [0, 0], [0, 0]], [[5, 1], [0, 0], [6, 1]], [SAMPLED, DECISIVE]),
    ],
    ids=["fixed", "appeared", "two-rates", "two-schedules", "explored", "decisive"],
)
def test_the_posterior_is_that_of_all_hypotheses_written_down(failures, trials, kinds):
    """It equals the hypotheses' sums over noises and means, normalised."""
    change = SingleChange(failures, trials, kinds=kinds)
    expected = enumerate_hypotheses(failures, trials, kinds)
    for row, kind in enumerate(ChangeKind):
        for at in range(1, len(failures)):
            assert change.places[row, at] == pytest.approx(expected[kind, at], rel=1e-9)
        assert change.places[row, 0] == 0
    assert change.no_change == pytest.approx(expected[False] + expected[True])
    assert change.still_affected == pytest.approx(expected[True])


counts = st.lists(
    st.integers(0, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    min_size=2,
    max_size=12,
)


@given(counts)
@settings(deadline=None)
def test_the_hypotheses_add_up_to_one(rows):
    """Their probabilities do so whatever was counted."""
    change = SingleChange([[k] for k, _ in rows], [[n] for _, n in rows])
    assert change.places.sum() + change.no_change == pytest.approx(1)


@given(counts)
@settings(deadline=None)
def test_a_history_told_backwards_is_fixed_where_it_appeared(rows):
    """The model has no direction of its own."""
    forth, back = (
        SingleChange([[k] for k, _ in counts], [[n] for _, n in counts])
        for counts in (rows, rows[::-1])
    )
    assert forth.places[0, 1:] == pytest.approx(back.places[1, 1:][::-1])
    assert forth.no_change == pytest.approx(back.no_change)


def test_commits_without_trials_stay_candidates():
    """Between 9 of 10 and 0 of 200 lie three places, all alike."""
    change = SingleChange([[9], [0], [0], [0]], [[10], [0], [0], [200]])
    place = change.placement
    assert (place.kind, place.places) == (ChangeKind.FIXED, (1, 2, 3))
    assert change.places[1, 1:] == pytest.approx(place.kind_probability / 3)


def test_a_weight_makes_a_place_less_likely():
    """The odds of the place change by the factor of its weight."""
    change = SingleChange([[9], [0], [0]], [[10], [0], [200]], weights=[1, 0.001, 1])
    assert change.places[1, 1] / change.places[1, 2] == pytest.approx(0.001)


def test_a_rate_that_falls_hides_no_fix_behind():
    """95 of 100, then 20 of 100, then none: the fix is where it reaches zero, bursts are rarer."""
    change = SingleChange([[95], [96], [20], [22], [0], [0]], [[100]] * 4 + [[500]] * 2)
    assert (change.placement.kind, change.placement.at) == (ChangeKind.FIXED, 4)
    assert change.placement.probability > 0.9


def test_a_rate_that_drifts_is_no_change():
    """84, 95, 70 and 99 of 100: affected throughout."""
    change = SingleChange([[84], [95], [70], [99]], [[100]] * 4)
    assert change.no_change > 0.99
    assert change.still_affected == pytest.approx(change.no_change)


@given(st.integers(1, 12), st.data())
@settings(deadline=None, max_examples=30)
def test_information_is_what_outcomes_change_of_the_posterior(n_trials, data):
    """It is the expected loss of entropy, with the posterior computed anew for every outcome."""
    rows = data.draw(counts.filter(lambda rows: len(rows) <= 5))
    failures, trials = (np.array([[row[i]] for row in rows], dtype=float) for i in (0, 1))
    information = SingleChange(failures, trials).expect_information(0, [n_trials])[:, 0]
    for commit in range(len(rows)):
        expected = expect_by_outcomes(failures, trials, commit, n_trials)
        assert information[commit] == pytest.approx(expected, abs=1e-6)


def expect_by_outcomes(failures, trials, commit, n_trials):
    """Return the expected loss of entropy by going through all numbers of failures."""
    now = np.array(list(weigh_hypotheses(failures, trials, [SAMPLED]).values()))
    together = []
    for k in range(n_trials + 1):
        more_k, more_n = failures.copy(), trials.copy()
        more_k[commit] += k
        more_n[commit] += n_trials
        then = np.array(list(weigh_hypotheses(more_k, more_n, [SAMPLED]).values()))
        together.append(math.comb(n_trials, k) * then / now.sum())
    assert np.sum(together) == pytest.approx(1, abs=1e-9)
    # More failures than that are one outcome.
    several = np.sum(together[MAX_TOLD_APART + 1 :], axis=0) + np.zeros(len(now))
    outcomes = [*together[: MAX_TOLD_APART + 1], several]
    return entropy(now / now.sum()) - sum(
        odds.sum() * entropy(odds / odds.sum()) for odds in outcomes if odds.sum() > 0
    )


def entropy(odds):
    """Return the entropy in bits."""
    return -float(np.sum(odds * np.log2(np.maximum(odds, 1e-300))))


def test_trials_at_a_commit_that_has_spoken_say_little():
    """More at 95 of 100 says less than a twentieth of what the first at its neighbour say."""
    change = SingleChange([[95], [0], [0]], [[100], [0], [300]])
    information = change.expect_information(0, [100])[:, 0]
    assert information[0] < information[1] / 20


def test_a_burst_in_one_commit_is_no_change():
    """5 of 100 at one end of an otherwise silent range are undecided, 95 of 100 are not."""
    rows = [[0], [0], [0], [0]], [[300], [0], [300], [100]]
    for n_failures, is_sure in ((5, False), (95, True)):
        rows[0][3][0] = n_failures
        assert (SingleChange(*rows).placement.probability >= 0.99) is is_sure


def test_silence_between_failures_shows_that_rates_vary():
    """Where every other commit is silent, the change lies in none of the places for sure."""
    failures = [[0], [0], [9], [0], [7], [0], [12], [0], [5]]
    assert SingleChange(failures, [[100]] * 9).placement.probability < 0.9


def test_explorations_tell_the_place_by_themselves():
    """A schedule failed in each commit before, and the whole space passed in those behind."""
    change = SingleChange([[1]] * 2 + [[0]] * 3, [[1]] * 5, kinds=[EXPLORED])
    assert (change.placement.kind, change.placement.at) == (ChangeKind.FIXED, 2)
    assert change.placement.probability > 0.98


def test_decisive_trials_place_a_change_beyond_doubt():
    """One passed behind hundreds that failed, with all between measured: there is one place."""
    change = SingleChange([[1]] * 300 + [[0]], [[1]] * 301, kinds=[DECISIVE])
    assert (change.placement.kind, change.placement.places) == (ChangeKind.FIXED, (300,))
    assert change.placement.probability > 1 - 1e-9
    assert change.expect_information(0, [1]).max() < 1e-9


def test_silence_of_trials_settles_no_range_and_that_of_explorations_does():
    """On a noisy machine a commit's rate may be next to nothing; a whole space has no rate."""
    trials = [[6000, 0], [0, 0], [6000, 0]]
    assert 0.9 < SingleChange(np.zeros((3, 2)), trials).no_change < 0.99
    explored = [[100, 1], [0, 0], [100, 1]]
    settled = SingleChange(np.zeros((3, 2)), explored, kinds=[SAMPLED, EXPLORED])
    assert settled.no_change > 0.99


@pytest.mark.parametrize(
    ("failures", "trials", "message"),
    [
        ([[2]], [[1]], "do not go together"),
        ([[1], [0]], [[1]], "do not go together"),
        ([[0]], [[1]], "range of one commit"),
    ],
)
def test_counts_that_cannot_be_are_refused(failures, trials, message):
    """They raise an error of one line."""
    with pytest.raises(ValueError, match=message):
        SingleChange(failures, trials)
