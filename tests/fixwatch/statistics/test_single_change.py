"""The posterior over one change: against every hypothesis written down, and what trials may say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from fixwatch.statistics.change_points import EXPECTED_CHANGES
from fixwatch.statistics.single_change import (
    AFFECTED,
    CLEAN,
    MIN_AFFECTED_RATE,
    ChangeKind,
    SingleChange,
)

KINDS = {
    ChangeKind.APPEARED: (CLEAN, AFFECTED, EXPECTED_CHANGES),
    ChangeKind.FIXED: (AFFECTED, CLEAN, EXPECTED_CHANGES),
}


def weigh_segment(failures, trials, prior):
    """Return the chance of a segment's counts, schedule by schedule, by numerical integration."""
    chance = 1.0
    for k, n in zip(np.sum(failures, axis=0), np.sum(trials, axis=0), strict=True):
        density = stats.beta(prior.a, prior.b)
        above = density.sf(prior.lowest)
        chance *= integrate.quad(
            lambda p, k=k, n=n, density=density: p**k * (1 - p) ** (n - k) * density.pdf(p),
            prior.lowest,
            1,
            points=[1e-4, 1e-3, 1e-2, 0.1, 0.5],
            limit=400,
        )[0]
        chance /= above
    return chance


def enumerate_hypotheses(failures, trials):
    """Return the weight of every hypothesis: kind and place, or the prior of all."""
    cuts = len(failures) - 1
    weights = {
        (kind, at): expected
        / cuts
        * weigh_segment(failures[:at], trials[:at], before)
        * weigh_segment(failures[at:], trials[at:], after)
        for kind, (before, after, expected) in KINDS.items()
        for at in range(1, len(failures))
    }
    for prior in (CLEAN, AFFECTED):
        weights[prior] = weigh_segment(failures, trials, prior)
    total = sum(weights.values())
    return {key: weight / total for key, weight in weights.items()}


@pytest.mark.parametrize(
    ("failures", "trials"),
    [
        ([[3], [0], [0], [0]], [[10], [0], [8], [12]]),
        ([[0], [0], [4], [9]], [[10], [0], [10], [10]]),
        ([[9], [2], [0], [1]], [[10], [10], [0], [10]]),
        ([[3, 1], [0, 0], [0, 0]], [[5, 2], [0, 0], [6, 0]]),
    ],
    ids=["fixed", "appeared", "two-rates", "two-schedules"],
)
def test_the_posterior_is_that_of_all_hypotheses_written_down(failures, trials):
    """It equals the hypotheses' integrals over the rates, computed numerically and normalised."""
    change = SingleChange(failures, trials)
    expected = enumerate_hypotheses(failures, trials)
    for row, kind in enumerate(ChangeKind):
        for at in range(1, len(failures)):
            assert change.places[row, at] == pytest.approx(expected[kind, at], rel=1e-4)
        assert change.places[row, 0] == 0
    assert change.no_change == pytest.approx(expected[CLEAN] + expected[AFFECTED], rel=1e-4)
    assert change.still_affected == pytest.approx(expected[AFFECTED], rel=1e-4)


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
    """95 of 100, then 20 of 100, then none: the fix is where it reaches zero."""
    change = SingleChange([[95], [96], [20], [22], [0], [0]], [[100]] * 4 + [[500]] * 2)
    assert (change.placement.kind, change.placement.at) == (ChangeKind.FIXED, 4)
    assert change.placement.probability > 0.999


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
    before = describe(SingleChange(failures, trials))
    loss, total = entropy(before), 0.0
    for k in range(n_trials + 1):
        more_k, more_n = failures.copy(), trials.copy()
        more_k[commit] += k
        more_n[commit] += n_trials
        after = describe(SingleChange(more_k, more_n))
        chance = predict(failures, trials, commit, k, n_trials, before)
        total += chance
        loss -= chance * entropy(after)
    assert total == pytest.approx(1, abs=1e-9)
    return loss


def describe(change):
    """Return all probabilities of the hypotheses in a row."""
    still = [change.no_change - change.still_affected, change.still_affected]
    return np.concatenate([change.places[:, 1:].ravel(), still])


def entropy(odds):
    """Return the entropy in bits."""
    return -float(np.sum(odds * np.log2(np.maximum(odds, 1e-300))))


def predict(failures, trials, commit, k, n_trials, odds):
    """Return the chance of k failures at a commit, by each hypothesis' own segment."""
    length = len(failures)
    ways = stats.binom.pmf(k, n_trials, 0.5) * 2.0**n_trials
    chances = []
    segments = [
        (before if commit < at else after, slice(0, at) if commit < at else slice(at, None))
        for (before, after, _), at in itertools.product(KINDS.values(), range(1, length))
    ]
    for prior, part in [*segments, (CLEAN, slice(None)), (AFFECTED, slice(None))]:
        seen_k, seen_n = failures[part].sum(), trials[part].sum()
        chance = prior.weigh(seen_k + k, seen_n + n_trials) - prior.weigh(seen_k, seen_n)
        chances.append(ways * np.exp(chance))
    return float(np.dot(chances, odds))


def test_trials_at_a_commit_that_has_spoken_say_little():
    """More at 95 of 100 says less than a twentieth of what the first at its neighbour say."""
    change = SingleChange([[95], [0], [0]], [[100], [0], [300]])
    information = change.expect_information(0, [100])[:, 0]
    assert information[0] < information[1] / 20


def test_silence_settles_a_range_because_rates_have_a_floor():
    """Enough silent trials at both ends rule out every rate from 0.001 on."""
    # 6,000 trials at 0.001 are silent with exp(-6) = 0.0025.
    change = SingleChange([[0], [0], [0]], [[6000], [0], [6000]])
    assert MIN_AFFECTED_RATE == 0.001
    assert change.no_change > 0.99
    assert change.still_affected < 0.01


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
