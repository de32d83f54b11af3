"""Change points: exact against brute force, and what they must and must not find."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fixwatch.statistics.change_points import (
    EXPECTED_CHANGES,
    EXPECTED_RATE_CHANGES,
    MIN_CUTS,
    MIN_PROBABILITY,
    find_change_points,
)
from fixwatch.statistics.noisy_counts import (
    MEANS,
    NOISES,
    TrialKind,
    weigh_affected,
    weigh_clean,
    weigh_means,
)


def find(*failures, trials=100):
    """Find the changes of a series under one schedule."""
    return find_change_points([[k] for k in failures], [[trials]] * len(failures))


def find_stated(*failures):
    """Find the changes that are sure enough to be stated."""
    return [change for change in find(*failures).changes if change.probability >= MIN_PROBABILITY]


def enumerate_histories(failures, trials, columns):
    """Return for each revision the chance that it is affected, over every way to cut a history."""
    k, n = np.array(failures, dtype=float), np.array(trials, dtype=float)
    length = len(k)
    cuts = max(length - 1, MIN_CUTS)
    change, rate_change = EXPECTED_CHANGES / cuts, EXPECTED_RATE_CHANGES / cuts
    chances = np.exp(weigh_affected(k, n, columns))
    clean = np.exp(weigh_clean(k, n, columns).sum(axis=1))
    means = weigh_means(columns)
    total, affected = 0.0, np.zeros(length)
    for number, noise in enumerate(NOISES):
        for kinds, cut in itertools.product(
            itertools.product([False, True], repeat=length),
            itertools.product([False, True], repeat=length - 1),
        ):
            pairs = list(zip(kinds[:-1], kinds[1:], cut, strict=True))
            # Kinds differ at cuts only; two clean segments never meet.
            if any((a != b and not c) or (c and not a and not b) for a, b, c in pairs):
                continue
            weight = 0.5 * noise.probability
            for was, now, is_cut in pairs:
                leave = change + (rate_change if was else 0)
                weight *= (rate_change if now and was else change) if is_cut else 1 - leave
            starts = [0, *np.flatnonzero(cut) + 1, length]
            for own in itertools.starmap(range, itertools.pairwise(starts)):
                if not kinds[own[0]]:
                    weight *= clean[own].prod()
                    continue
                for column, kind in enumerate(columns):
                    step = walk(noise.move_chance if kind is TrialKind.SAMPLED else 0.0)
                    state = means[column] * chances[own[0], number, column]
                    for i in own[1:]:
                        state = (state @ step) * chances[i, number, column]
                    weight *= state.sum()
            total += weight
            affected += weight * np.array(kinds)
    return affected / total


def walk(chance):
    """Return the chances to get from each mean of the grid to each other in one revision."""
    steps = np.eye(len(MEANS)) * (1 - 2 * chance)
    for here in range(len(MEANS)):
        for to in (here - 1, here + 1):
            steps[here, np.clip(to, 0, len(MEANS) - 1)] += chance
    return steps


@settings(max_examples=10, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(0, 1)).flatmap(
            lambda k: st.tuples(st.just(k), st.tuples(st.integers(k[0], 8), st.integers(k[1], 1)))
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_recursion_sums_over_every_way_to_cut(series):
    """Its odds are those of all ways written down, with empty batches and two kinds of trials."""
    failures, trials = [k for k, _ in series], [n for _, n in series]
    for kind in (TrialKind.EXPLORED, TrialKind.DECISIVE):
        kinds = [TrialKind.SAMPLED, kind]
        expected = enumerate_histories(failures, trials, kinds)
        found = find_change_points(failures, trials, kinds)
        assert found.affected == pytest.approx(expected, abs=1e-9)


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


@pytest.mark.parametrize("place", [0, 15, 29])
def test_a_burst_of_failures_in_one_clean_batch_opens_nothing(place):
    """Nor do 30 of 100 in one batch."""
    for burst in (5, 30):
        failures = [0] * 30
        failures[place] = burst
        assert find_stated(*failures) == []


def test_a_revision_that_fails_nearly_always_is_no_burst():
    """100 of 100 in the newest revision alone are a change."""
    (change,) = find(*[0] * 30, 100).changes
    assert change.probability > 0.99


def test_rates_that_vary_between_revisions_are_no_changes():
    """Of 20 histories at 0.1 with an over-dispersion of 0.2, a quarter of it silent, none has."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        rates = rng.beta(0.1 * 4, 0.9 * 4, size=80)
        assert find_stated(*rng.binomial(100, rates)) == []


def test_a_rate_that_wanders_out_of_sight_and_back_is_no_fix():
    """From 0.3 by steps of a tenth in its log odds to 0.0003, and back."""
    rng = np.random.default_rng(3)
    path = np.concatenate([np.arange(-1, -8, -0.1), np.arange(-8, -1, 0.1)])
    for _ in range(5):
        assert find_stated(*rng.binomial(100, 1 / (1 + np.exp(-path)))) == []


def test_explorations_decide_by_themselves():
    """Of two revisions each, one exploration of a whole space tells the fix with 99 %."""
    for n_each in (2, 6):
        failures, trials = [[1]] * n_each + [[0]] * n_each, [[1]] * 2 * n_each
        (change,) = find_change_points(failures, trials, [TrialKind.EXPLORED]).changes
        assert (change.kind, change.at) == ("fixed", n_each)
        assert change.probability >= MIN_PROBABILITY


def test_an_exploration_whose_bounds_leave_the_defect_out_hides_nothing():
    """Where trials fail throughout, explorations that pass are no fix."""
    kinds = [TrialKind.SAMPLED, TrialKind.EXPLORED]
    found = find_change_points([[80, 0]] * 10, [[100, 1]] * 10, kinds)
    assert found.changes == ()
    assert min(found.affected) > 0.99


def find_decisive(*failures):
    """Find the changes of a series of one decisive trial a revision."""
    return find_change_points([[k] for k in failures], [[1]] * len(failures), [TrialKind.DECISIVE])


@pytest.mark.parametrize("length", [2, 20, 400])
def test_decisive_trials_leave_nothing_open(length):
    """Each change is exact, at the ends too, however long the history is; so is each revision."""
    for at in {1, length // 2, length - 1}:
        for before, kind in ((1, "fixed"), (0, "appeared")):
            outcomes = [before] * at + [1 - before] * (length - at)
            found = find_decisive(*outcomes)
            (change,) = found.changes
            assert (change.kind, change.at, change.places) == (kind, at, (at,))
            assert change.probability > 1 - 1e-9
            assert found.affected == pytest.approx(outcomes, abs=1e-9)


def test_a_decisive_trial_is_no_stray():
    """One revision that differs from all others is two changes, both certain."""
    for usual in (0, 1):
        changes = find_decisive(*[usual] * 15, 1 - usual, *[usual] * 15).changes
        assert [(change.at, change.places) for change in changes] == [(15, (15,)), (16, (16,))]


def test_decisive_trials_that_contradict_one_another_decide_nothing():
    """Of one revision one failed and one passed, so one record is wrong; the others stand."""
    kinds = [TrialKind.DECISIVE] * 2
    found = find_change_points([[1, 1], [1, 0], [0, 0]], [[1, 1]] * 3, kinds)
    assert found.affected == pytest.approx([1, 0.5, 0], abs=1e-2)


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
