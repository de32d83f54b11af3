"""Change points: exact against brute force, and what they must and must not find."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import betaln

from fixwatch.statistics.change_points import (
    AFFECTED_PRIOR,
    CLEAN_PRIOR,
    EXPECTED_CHANGES,
    EXPECTED_RATE_CHANGES,
    MIN_CUTS,
    find_change_points,
)


def find(*failures, trials=100):
    """Find the changes of a series under one schedule."""
    return find_change_points([[k] for k in failures], [[trials]] * len(failures))


def enumerate_histories(failures, trials):
    """Return for each revision the chance that it is affected, over every way to cut a history."""
    length = len(failures)
    cuts = max(length - 1, MIN_CUTS)
    change, rate_change = EXPECTED_CHANGES / cuts, EXPECTED_RATE_CHANGES / cuts

    def weigh(kinds, is_cut):
        weight = math.log(0.5)
        first = 0
        for i in range(1, length + 1):
            if i < length and not is_cut[i - 1]:
                weight += math.log(1 - change - (rate_change if kinds[i] else 0))
                continue
            prior = AFFECTED_PRIOR if kinds[first] else CLEAN_PRIOR
            k, n = np.sum(failures[first:i], axis=0), np.sum(trials[first:i], axis=0)
            for a, b in zip(prior.a + k, prior.b + n - k, strict=True):
                weight += betaln(a, b) - betaln(prior.a, prior.b)
            if i < length:
                weight += math.log(rate_change if kinds[i] and kinds[i - 1] else change)
            first = i
        return weight

    total, affected = 0.0, np.zeros(length)
    for kinds in itertools.product([False, True], repeat=length):
        for is_cut in itertools.product([False, True], repeat=length - 1):
            pairs = list(zip(kinds[:-1], kinds[1:], is_cut, strict=True))
            # Kinds differ at cuts only; two clean segments never meet.
            if any((a != b and not c) or (c and not a and not b) for a, b, c in pairs):
                continue
            weight = math.exp(weigh(kinds, is_cut))
            total += weight
            affected += weight * np.array(kinds)
    return affected / total


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 1)).flatmap(
            lambda k: st.tuples(st.just(k), st.tuples(st.integers(k[0], 8), st.integers(k[1], 4)))
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_recursion_sums_over_every_way_to_cut(series):
    """Its odds are those of all ways written down, with two schedules and empty batches."""
    failures, trials = [k for k, _ in series], [n for _, n in series]
    expected = enumerate_histories(failures, trials)
    assert find_change_points(failures, trials).affected == pytest.approx(expected, abs=1e-9)


def test_a_fix_is_placed_exactly():
    """97 failures of 100 and then none leave one place, nearly certain."""
    (change,) = find(*[97] * 20, *[0] * 20).changes
    assert (change.kind, change.after, change.at, change.places) == ("fixed", 19, 20, (20,))
    assert change.probability > 0.999


def test_each_of_many_changes_is_found():
    """A history that appeared, was fixed and came back has three changes."""
    changes = find(*[0] * 9, *[30] * 9, *[0] * 9, *[60] * 9).changes
    assert [(c.kind, c.at) for c in changes] == [("appeared", 9), ("fixed", 18), ("appeared", 27)]


def test_noise_and_a_drop_of_the_rate_are_no_change():
    """84 and then 94 of 100 is no change, nor is 90 and then 9, which is still affected."""
    assert find(*[84] * 20, *[94] * 20).changes == ()
    assert find(*[90] * 20, *[9, 8, 11, 10, 9]).changes == ()


@pytest.mark.parametrize("place", [0, 15, 29])
def test_one_stray_failure_opens_nothing(place):
    """It makes no change within a clean history nor at its ends."""
    failures = [0] * 30
    failures[place] = 1
    found = find(*failures)
    assert found.changes == ()
    assert max(found.affected) < 0.5


def test_a_few_silent_trials_close_nothing():
    """0 of 10 at a rate of one in five is no fix."""
    failures = [[20]] * 20 + [[0]]
    trials = [[100]] * 20 + [[10]]
    assert find_change_points(failures, trials).changes == ()


def test_a_low_rate_has_many_possible_places():
    """The set of places says so, and holds the true one."""
    rng = np.random.default_rng(4)
    failures = [*rng.binomial(100, 0.02, 40), *[0] * 40]
    (change,) = find(*failures).changes
    assert 40 in change.places
    assert len(change.places) > 1


def test_a_schedule_that_is_silent_throughout_does_not_hide_the_other():
    """A wrong fix that the hand-off never shows and delay shows at times is still affected."""
    failures = [[90, 20]] * 10 + [[20, 0]] * 10
    found = find_change_points(failures, [[100, 20]] * 20)
    assert found.changes == ()
    assert min(found.affected) > 0.99


def test_nothing_and_nonsense():
    """An empty history has no change; impossible counts are refused."""
    assert find_change_points([], []).changes == ()
    for failures, trials in (([[2]], [[1]]), ([[-1]], [[1]]), ([[1]], [[1, 1]])):
        with pytest.raises(ValueError, match="do not go together"):
            find_change_points(failures, trials)
