"""Schedules only choose when a thread pauses, and put back what they set."""

from __future__ import annotations

import gc
import sys
import threading
import time

import pytest

from mwe.errors import BadArgumentError
from mwe.runner import iter_trials
from mwe.schedules import (
    SCHEDULES,
    DelayInjection,
    Granularity,
    HandOff,
    find_schedule,
    find_schedules,
)
from mwe.targets import Target
from mwe.workloads.planted_race.subjects import SwapSubject
from tests.subjects.swaps import RACY, SOUND, make_swap_on_each_call


def outer():
    """Call one function of this file and run two lines of its own."""
    a = inner()
    return a + 1


def inner():
    """Run two lines."""
    b = 1
    return b + 1


N_LINES = 4


@pytest.fixture(autouse=True)
def no_collection():
    """Keep the garbage collector, whose callbacks other tests install, out of counted threads."""
    gc.disable()
    yield
    gc.enable()


def count_pauses(schedule, monkeypatch, seed, target=outer, n_threads=2):
    """Return how often each of some threads, run one after another, was paused."""
    pauses = []

    def pause(duration_s):
        # The launching thread may park meanwhile, and a thread of another test's may poll.
        if threading.current_thread().name == "counted":
            pauses.append(duration_s)

    monkeypatch.setattr(time, "sleep", pause)
    counts = []
    with schedule.open({__file__}) as pace, pace(seed):
        for _ in range(n_threads):
            pauses.clear()
            thread = threading.Thread(target=target, name="counted")
            thread.start()
            thread.join()
            counts.append(len(pauses))
    return counts


def only_steps(probability, granularity=Granularity.LINE, share=1.0):
    """Return a schedule that pauses at steps and not at entries."""
    return DelayInjection(
        granularity=granularity,
        probability=probability,
        stepped_share=share,
        entry_probability=0.0,
    )


def test_probability_one_pauses_at_each_line_and_zero_at_none(monkeypatch):
    """Four lines of two functions are four pauses; frames of threading itself do not count."""
    assert count_pauses(only_steps(1.0), monkeypatch, "1/1") == [N_LINES] * 2
    assert count_pauses(only_steps(0.0), monkeypatch, "1/1") == [0, 0]


def test_instructions_are_finer_than_lines(monkeypatch):
    """A line has several instructions, so that more pauses fall on it."""
    schedule = only_steps(1.0, Granularity.INSTRUCTION)
    assert min(count_pauses(schedule, monkeypatch, "1/1")) > 2 * N_LINES


def test_a_share_of_the_threads_is_paused_at_steps(monkeypatch):
    """About half of 64 threads are; P(fewer than 8 or more than 56) < 1e-9."""
    counts = count_pauses(only_steps(1.0, share=0.5), monkeypatch, "1/1", n_threads=64)
    assert set(counts) == {0, N_LINES}
    assert 8 <= counts.count(0) <= 56
    assert count_pauses(only_steps(1.0, share=0.0), monkeypatch, "1/1") == [0, 0]


def test_entries_of_nested_user_functions_are_paused(monkeypatch):
    """The outer function is the kernel, the inner one the device function: one entry."""
    schedule = DelayInjection(probability=0.0, entry_probability=1.0)
    assert count_pauses(schedule, monkeypatch, "1/1") == [1, 1]
    assert count_pauses(schedule, monkeypatch, "1/1", target=inner) == [0, 0]


def test_the_seed_fixes_the_decisions(monkeypatch):
    """The same seed pauses the same, and of 20 seeds not all pause the same."""
    schedule = only_steps(0.5)
    first = [count_pauses(schedule, monkeypatch, f"{seed}/1") for seed in range(20)]
    again = [count_pauses(schedule, monkeypatch, f"{seed}/1") for seed in range(20)]
    assert first == again
    assert len({tuple(counts) for counts in first}) > 1


def test_the_launching_thread_is_not_paused_while_nothing_runs(monkeypatch):
    """The launching thread sleeps only while simulated threads run."""
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with only_steps(1.0).open({__file__}) as pace, pace("1/1"):
        for _ in range(200):
            outer()
    assert pauses == []


def test_the_launching_thread_parks_while_it_only_waits(monkeypatch):
    """Of 1,000 polls of a thread that runs, all but the first hundred or so sleep."""
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    finish = threading.Event()
    with only_steps(0.0).open({__file__}) as pace, pace("1/1"):
        thread = threading.Thread(target=lambda: finish.wait())
        thread.start()
        for _ in range(1000):
            thread.is_alive()
        n_parked = len(pauses)
        finish.set()
        thread.join()
    assert n_parked >= 800


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_puts_back_what_it_set_even_after_an_error(schedule):
    """Trace functions are as they were before."""
    before = sys.gettrace(), threading.gettrace()
    with pytest.raises(KeyError), schedule.open({__file__}) as pace, pace("1/1"):
        raise KeyError
    assert (sys.gettrace(), threading.gettrace()) == before


def count_failures(make_swap, schedule, n_trials):
    """Return how many trials of a variant failed, each on a simulator of its own."""
    failures = 0
    for number in range(1, n_trials + 1):
        subject = SwapSubject(make_swap(), schedule.n_active_threads)
        (trial,) = iter_trials(subject, schedule, 1, range(number, number + 1))
        failures += trial.outcome.failed
    return failures


def test_handoff_exposes_the_shipped_race_every_time():
    """Two threads are made to overlap, trial after trial."""
    # Measured 2,000 of 2,000; a miss needs a machine that stalls a thread for 50 ms.
    assert count_failures(make_swap_on_each_call, HandOff(), 50) >= 49


@pytest.mark.parametrize("name", RACY)
def test_delay_exposes_every_wrong_fix(name):
    """Rare pauses find windows inside the simulator."""
    # Calibrated floor 0.3 a trial, so P(all 60 pass) <= 0.7**60 < 1e-9.
    assert count_failures(RACY[name], DelayInjection(), 60) > 0


@pytest.mark.parametrize("schedule", ["delay", "handoff"])
@pytest.mark.parametrize("name", SOUND)
def test_no_schedule_flags_a_sound_variant(name, schedule):
    """A correct simulator passes under each schedule."""
    assert count_failures(SOUND[name], SCHEDULES[schedule], 40) == 0


def test_an_unknown_schedule_names_the_known_ones():
    """The message says what to write instead."""
    with pytest.raises(BadArgumentError, match="unknown schedule 'x'; choose one of .*delay"):
        find_schedule("x")


def test_a_target_is_offered_only_the_schedules_that_decide_something_there():
    """Pausing threads is for the simulator, and the shape of launches is for devices."""
    assert find_schedules(Target.SIMULATOR) == ["delay", "handoff", "explore", "natural"]
    assert find_schedules(Target.CUDA) == ["natural", "launch-mix"]
