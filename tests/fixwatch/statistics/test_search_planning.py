"""What a search does next, and when it ends."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fixwatch.statistics.noisy_counts import TrialKind
from fixwatch.statistics.search_planning import (
    AIM,
    END_TRIALS,
    TRIALS,
    SearchAnswer,
    Step,
    choose_step,
    find_answer,
    limit_builds,
)
from fixwatch.statistics.single_change import SingleChange


def counted(n_commits, **by_index):
    """Return the posterior for counts at a few commits, as ``c3=(failures, trials)``."""
    failures, trials = np.zeros((2, n_commits, 1))
    for name, (k, n) in by_index.items():
        failures[int(name[1:])], trials[int(name[1:])] = k, n
    return SingleChange(failures, trials)


def costs(n_commits, build_s, **by_index):
    """Return the cost of each commit: a build but where it says otherwise."""
    result = np.full(n_commits, build_s)
    for name, cost_s in by_index.items():
        result[int(name[1:])] = cost_s
    return result


def test_between_two_known_ends_the_middle_is_next():
    """Every commit costs the same and the change may be anywhere: halve."""
    change = counted(101, c0=(95, 100), c100=(0, 300))
    step = choose_step(change, 0, costs(101, 40.0, c0=1.0, c100=1.0), 0.02)
    assert step is not None
    # Where the halves differ by a commit, either is as good.
    assert step.index in (50, 51)


def test_a_build_that_has_not_spoken_is_used_on():
    """At a rate of 5 %, 20 silent trials say nothing yet; more are cheaper than a build."""
    change = counted(101, c0=(5, 100), c50=(0, 20), c100=(0, 2000))
    step = choose_step(change, 0, costs(101, 40.0, c0=1.0, c50=0.0, c100=1.0), 0.02)
    assert step is not None
    assert step.index == 50


def test_where_builds_cost_nothing_no_trial_is_repeated():
    """The same counts with free builds: another commit says more a second."""
    change = counted(101, c0=(60, 100), c50=(0, 20), c100=(0, 2000))
    step = choose_step(change, 0, costs(101, 0.1), 1.0)
    assert step is not None
    assert step.index != 50


def test_a_commit_that_was_tried_gets_many_more_trials_or_none():
    """A step is half of what it has at least, so that a search has few."""
    change = counted(101, c0=(5, 1000), c50=(0, 200), c100=(0, 2000))
    nowhere_else = np.full(101, math.inf)
    nowhere_else[50] = 0.0
    step = choose_step(change, 0, nowhere_else, 0.02)
    assert step is not None
    assert step.index == 50
    assert step.n_trials >= 100


def test_what_cannot_be_measured_is_never_chosen():
    """The middle and its neighbours do not build: the next best commit is taken."""
    change = counted(11, c0=(95, 100), c10=(0, 300))
    possible = costs(11, 40.0, c5=math.inf, c6=math.inf)
    step = choose_step(change, 0, possible, 0.02)
    assert step is not None
    assert step.index in (4, 7)


def test_a_search_ends_with_the_commit():
    """Its neighbour failed and it did not: nothing is left to learn."""
    change = counted(5, c0=(95, 100), c1=(96, 100), c2=(0, 300), c4=(0, 100))
    assert choose_step(change, 0, costs(5, 40.0), 0.02) is None
    assert find_answer(change) is SearchAnswer.FOUND
    assert change.placement.at == 2


RARE = {f"c{index}": (17, 100) for index in range(6, 10)}


@pytest.mark.parametrize(
    ("trials", "expected"),
    [
        ({"c4": (0, 300), "c5": (0, 300)}, Step(5, 700)),
        ({"c4": (0, 300), "c5": (0, 1000)}, Step(4, 700)),
        ({"c3": (0, 300), "c4": (0, 1000), "c5": (0, 1000)}, None),
    ],
)
def test_a_rare_failure_is_stated_once_the_silent_commits_beside_it_were_asked_for_long(
    trials, expected
):
    """If rates vary as much as they may, 300 trials at such a commit are silent by chance.

    At a mean of 0.17 with an over-dispersion of 0.2 that has a probability of 0.03.
    """
    change = counted(10, c0=(0, 300), c1=(0, 300), c2=(0, 300), **trials, **RARE)
    assert change.placement.probability >= AIM
    assert choose_step(change, 0, costs(10, 1.0), 0.02) == expected
    # One that cannot be measured again is passed over.
    nowhere = np.full(10, math.inf)
    assert choose_step(change, 0, nowhere, 0.02) is None


@pytest.mark.parametrize(("kind", "is_done"), [("decisive", True), ("sampled", False)])
def test_what_another_machine_decided_is_not_asked_again(kind, is_done):
    """A decisive trial is the same everywhere, while rates differ between machines."""
    n_trials = 1 if kind == "decisive" else 300
    failures = [[0, n_trials]] * 3 + [[0, 0]] * 3
    change = SingleChange(failures, [[0, n_trials]] * 6, kinds=[TrialKind(kind)] * 2)
    assert change.placement.probability >= AIM
    assert (choose_step(change, 0, costs(6, 40.0), 0.02, (n_trials,)) is None) is is_done


def test_a_search_ends_undecided_where_nothing_more_can_be_measured():
    """The change lies in one of two commits, and the first does not build."""
    change = counted(4, c0=(95, 100), c2=(0, 500), c3=(0, 500))
    possible = costs(4, 40.0, c1=math.inf)
    assert choose_step(change, 0, possible, 0.02) is None
    assert find_answer(change) is SearchAnswer.NOT_DECIDED
    assert change.placement.places == (1, 2)


def test_no_change_is_not_stated_before_both_ends_were_measured():
    """An end without trials is measured even if a change there is hardly possible."""
    change = counted(300, c1=(95, 100), c299=(94, 100))
    step = choose_step(change, 0, costs(300, 40.0), 0.02)
    assert step == Step(0, END_TRIALS)
    assert find_answer(change) is SearchAnswer.NOT_DECIDED
    unbuildable = costs(300, 40.0, c0=math.inf)
    assert choose_step(change, 0, unbuildable, 0.02) is None
    assert find_answer(change, unmeasurable={0}) is SearchAnswer.NO_CHANGE


@pytest.mark.parametrize("is_fix", [True, False])
def test_a_planted_change_is_found_with_few_builds(is_fix):
    """Sixty histories of 100 commits at a rate of 5 %: log2(99) is 6.6, and there are two ends."""
    rng = np.random.default_rng(7)
    builds = []
    n_right = 0
    for _ in range(60):
        at = int(rng.integers(1, 100))
        failures, trials = np.zeros((2, 100, 1))
        possible = costs(100, 41.0)
        while step := choose_step(SingleChange(failures, trials), 0, possible, 0.02, TRIALS):
            if not trials[step.index] and (trials > 0).sum() == limit_builds(100):
                break
            rate = 0.05 if (step.index < at) is is_fix else 0.0
            failures[step.index] += rng.binomial(step.n_trials, rate)
            trials[step.index] += step.n_trials
            possible[step.index] = 1.0
        change = SingleChange(failures, trials)
        builds.append(int((trials > 0).sum()))
        n_right += find_answer(change) is SearchAnswer.FOUND and change.placement.at == at
    # Stated at 0.995: three or more wrong of 60 have a chance below 0.4 %.
    assert n_right >= 58
    assert np.median(builds) <= 10
