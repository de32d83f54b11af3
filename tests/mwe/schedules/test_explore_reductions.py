"""Schedules that are left out: each reason has a program that fails if it is applied too widely."""

from __future__ import annotations

import sys

import pytest

from mwe.schedules import Explore
from mwe.schedules.explore.instructions import Instruction
from mwe.schedules.explore.observations import Passed
from mwe.schedules.explore.space import Space
from mwe.schedules.explore.turns import Turns
from tests.subjects.programs import ProgramSubject, explore
from tests.subjects.value_reductions import PROGRAMS, make_subject


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_read_that_matters_is_no_point_less(name):
    """Thread 0 reads what thread 1 has written since it was there, with one forced switch."""
    everything = explore(make_subject(name), 1, leaves_out=False)
    assert {"old", "new"} <= set(everything.results)
    reduced = explore(make_subject(name), 1)
    assert set(reduced.results) == set(everything.results)
    assert len(reduced.plans) < len(everything.plans)


def test_a_switch_that_was_left_out_comes_back_once():
    """However often names are found later that change."""
    space = Space(max_switches=1)
    for changed in (set(), {"x"}, {"y"}):
        plan = space.take()
        turns = Turns(plan, 2)
        turns.is_possible, turns.changed = True, changed
        turns._members = [None, None]
        if not changed:
            read = Instruction("LOAD_GLOBAL", "x")
            turns.passed = [Passed(plan.first, 2, (1 - plan.first,), read, set(), None)]
        space.add(plan, turns)
    assert space.report().run == 3
    assert not space.has_more()


def test_reads_of_what_nobody_writes_are_left_out():
    """Of each thread's points only the calls are left, and one of them is its first."""
    entries = []

    def run():
        entries.append(sys.maxsize)
        entries.append(sys.maxsize)

    subject = ProgramSubject(lambda: (run, run), lambda: len(entries))
    explored = explore(subject, 1)
    # Thread 0 or 1 first, and each switched away from before either of its calls.
    assert len(explored.plans) == 2 + 2 * 2


def test_a_direct_call_of_an_explored_function_is_left_out():
    """The points of the function stand for it."""
    entries = []

    def note():
        entries.append(1)

    def run():
        note()

    subject = ProgramSubject(lambda: (run, run), lambda: len(entries))
    explored = explore(subject, 1)
    assert len(explored.plans) == 2 + 2


@pytest.mark.parametrize("leaves_out", [False, True])
def test_a_switch_at_a_later_visit_of_an_instruction_is_missed(leaves_out):
    """Only the first visit by a thread is a point: no thread is seen in its second round."""
    entries = []

    def set_up():
        entries.clear()
        return run, look

    def run(note=entries.append):
        for number in (1, 2, 3):
            note(number)

    def look():
        entries.append(f"after {len(entries)}")

    explored = explore(ProgramSubject(set_up, lambda: str(entries)), 2, leaves_out=leaves_out)
    assert "[1, 2, 3, 'after 3']" in explored.results
    assert "['after 0', 1, 2, 3]" in explored.results
    assert not any("'after 2'" in result for result in explored.results)
    assert "at its first visit by the thread" in " ".join(Explore.__doc__.split())
