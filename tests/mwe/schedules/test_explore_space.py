"""The space of schedules has exactly the size that arithmetic says."""

from __future__ import annotations

import itertools
import threading
from math import comb

import pytest

from mwe.runner import iter_trials, run_trial
from mwe.schedules.explore import Explore
from mwe.schedules.explore.plans import Plan, Switch
from mwe.schedules.explore.space import MAX_TRIES, Space, describe_space
from tests.subjects.programs import ProgramSubject, explore, make_notes


def count_by_arithmetic(n_points, n_switches):
    """Count the schedules of two threads with at most so many forced switches.

    The thread that goes first is switched away from at increasing points, of which its first is
    none, and so is the other one; they take turns.
    """
    return sum(
        2 * comb(n_points - 1, (switches + 1) // 2) * comb(n_points - 1, switches // 2)
        for switches in range(n_switches + 1)
    )


def count_by_running(n_threads, n_points, n_switches):
    """Count the schedules of some threads by following each one, as their definition says."""

    def follow(running, passed, ended, n_left):
        passed, ended = list(passed), set(ended)
        n_schedules = 1
        while n_left:
            while passed[running] < n_points:
                passed[running] += 1
                for other in set(range(n_threads)) - ended - {running}:
                    if passed[running] > 1:
                        n_schedules += follow(other, passed, ended, n_left - 1)
            ended.add(running)
            if len(ended) == n_threads:
                break
            running = min(set(range(n_threads)) - ended)
        return n_schedules

    return sum(follow(first, [0] * n_threads, (), n_switches) for first in range(n_threads))


@pytest.mark.parametrize("n_points", [1, 2, 4])
@pytest.mark.parametrize("n_switches", [0, 1, 2, 3])
def test_two_threads_have_as_many_schedules_as_arithmetic_says(n_points, n_switches):
    """Every schedule is run once, and there are no others."""
    explored = explore(make_notes(n_points, n_points), n_switches, leaves_out=False)
    assert len(explored.plans) == count_by_arithmetic(n_points, n_switches)
    assert len(explored.plans) == count_by_running(2, n_points, n_switches)
    assert len(set(explored.plans)) == len(explored.plans)
    assert explored.space.report().exhausted


@pytest.mark.parametrize(("n_points", "n_switches"), [(2, 2), (3, 1)])
def test_three_threads_have_as_many_schedules_as_following_each_gives(n_points, n_switches):
    """Each forced switch goes to one of two others; behind an end the lowest goes on."""
    subject = make_notes(n_points, n_points, n_points)
    explored = explore(subject, n_switches, 3, leaves_out=False)
    assert len(explored.plans) == count_by_running(3, n_points, n_switches)
    assert len(set(explored.plans)) == len(explored.plans)


@pytest.mark.parametrize("leaves_out", [False, True])
def test_with_enough_switches_each_interleaving_comes_up_once(leaves_out):
    """Of 3 and 3 marks there are 6! / (3! 3!) = 20 orders, with 4 forced switches at most."""
    explored = explore(make_notes(3, 3), 4, leaves_out=leaves_out)
    places = itertools.combinations(range(6), 3)
    orders = set()
    for chosen in places:
        first, second = iter(("a1", "a2", "a3")), iter(("b1", "b2", "b3"))
        orders.add(" ".join(next(first if n in chosen else second) for n in range(6)))
    assert len(orders) == comb(6, 3)
    assert explored.results == dict.fromkeys(orders, 1)


@pytest.mark.parametrize(
    ("lengths", "order", "n_needed"),
    [((2, 2), "a1 b1 a2 b2", 2), ((3, 2), "a1 b1 a2 b2 a3", 3)],
)
def test_an_order_is_found_with_as_many_switches_as_it_needs(lengths, order, n_needed):
    """The last change of threads is forced by none: the one before it has ended."""
    fewer = explore(make_notes(*lengths), n_needed - 1)
    assert fewer.space.report().exhausted
    assert order not in fewer.results
    enough = explore(make_notes(*lengths), n_needed)
    assert len(enough.first_plans[order].switches) == n_needed


def test_schedules_come_with_the_fewest_switches_first():
    """Whatever the seed, a failure is found by a schedule that is as simple as any."""
    n_switches = [len(plan.switches) for plan in explore(make_notes(3, 3), 3).plans]
    assert n_switches == sorted(n_switches)


def test_a_space_with_a_schedule_that_could_not_be_followed_is_not_whole():
    """It is tried again, and given up in the end; nothing is claimed of it."""
    subject = make_notes(2, 2)
    space, plan = Space(0), Plan(0, (Switch(0, 99, 1),))
    assert space.take() != space.take()
    n_tries = 0
    while space.has_more() or not n_tries:
        space.take()
        n_tries += 1
        turns = space.open_turns(plan)
        run_trial(subject, lambda _, turns=turns: turns.taken(), subject.build_kernel(), "")
        space.add(Plan(0), turns)
    report = space.report()
    assert (report.schedules, report.run, report.exhausted) == (1, 0, False)
    assert n_tries == MAX_TRIES


def test_functions_on_one_line_are_told_apart():
    """Two of one name have a point each, and each interleaving comes up once: 4! / (2! 2!) = 6."""
    order = []

    def run(name):
        (lambda: order.append(f"{name}1"))(), (lambda: order.append(f"{name}2"))()

    def set_up():
        order.clear()
        return (lambda: run("a")), (lambda: run("b"))

    explored = explore(ProgramSubject(set_up, lambda: " ".join(order)), 2)
    assert len(explored.results) == 6


def test_a_launch_with_fewer_threads_than_asked_for_has_a_whole_space():
    """A thread that is not there goes first in no schedule."""
    *_, last = iter_trials(make_notes(2, 2), Explore(threads=3), 1, range(1, 100))
    assert last.exploration.space.exhausted
    assert last.exploration.space.run == count_by_arithmetic(2, 2)


def test_no_schedule_begins_with_a_thread_that_starts_when_another_has_run():
    """Such a space is whole with the one schedule that there is."""
    subject = make_notes(2, 2)

    def launch_in_turn(_kernel, _shape=None):
        for run in subject.set_up():
            thread = threading.Thread(target=run, daemon=True)
            thread.start()
            thread.join()
        return subject.find_result()

    subject.launch = launch_in_turn
    *_, last = iter_trials(subject, Explore(), 1, range(1, 100))
    assert last.exploration.space.exhausted
    assert last.exploration.space.run == 1


def test_a_schedule_that_seems_to_hang_is_run_once_more():
    """It is taken again, and is a hang the second time."""
    space = Space(max_switches=0)
    plans = [space.take(), space.take()]
    assert space.take() is None
    assert space.put_back(plans[0])
    assert space.take() == plans[0]
    assert not space.put_back(plans[0])
    assert not space.has_more()


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ({"schedules": 14, "run": 14, "exhausted": True}, "all 14 schedules of {} were run"),
        ({"schedules": 1, "run": 1, "exhausted": True}, "the only schedule of {} was run"),
        (
            {"schedules": 14, "run": 2, "exhausted": False},
            "2 schedules of {} were run, at least 12 were not",
        ),
    ],
)
def test_what_was_run_of_a_space_is_said_in_words(counts, said):
    """One schedule is no plural."""
    bound = "2 threads with at most 2 forced switches"
    assert describe_space({"threads": 2, "switches": 2, **counts}) == said.format(bound)
