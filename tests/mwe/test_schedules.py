"""Schedules only choose when a thread pauses, and put back what they set."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from mwe.errors import BadArgumentError
from mwe.schedules import SCHEDULES, DelayInjection, find_schedule


def five_lines():
    """Run a known number of lines."""
    a = 1
    b = a
    c = b
    d = c
    return a + b + c + d


def count_pauses(schedule, monkeypatch, seed):
    """Return how often each of two threads, run one after another, was paused."""
    pauses = []
    monkeypatch.setattr(time, "sleep", lambda _duration_s: pauses.append(threading.get_ident()))
    counts = []
    with schedule.applied(seed):
        for _ in range(2):
            pauses.clear()
            thread = threading.Thread(target=five_lines)
            thread.start()
            thread.join()
            counts.append(len(pauses))
    return counts


def test_probability_one_pauses_at_each_line_and_zero_at_none(monkeypatch):
    """Five lines of one function are five pauses; frames of threading itself do not count."""
    assert count_pauses(DelayInjection(probability=1.0), monkeypatch, "1/1") == [5, 5]
    assert count_pauses(DelayInjection(probability=0.0), monkeypatch, "1/1") == [0, 0]


def test_the_seed_fixes_the_decisions(monkeypatch):
    """The same seed pauses the same, and of 20 seeds not all pause the same."""
    schedule = DelayInjection(probability=0.5)
    first = [count_pauses(schedule, monkeypatch, f"{seed}/1") for seed in range(20)]
    again = [count_pauses(schedule, monkeypatch, f"{seed}/1") for seed in range(20)]
    assert first == again
    assert len({tuple(counts) for counts in first}) > 1


def test_the_launching_thread_is_not_paused(monkeypatch):
    """Only threads started inside are traced."""
    pauses = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    with DelayInjection(probability=1.0).applied("1/1"):
        five_lines()
    assert pauses == []


@pytest.mark.parametrize("schedule", SCHEDULES.values(), ids=SCHEDULES)
def test_a_schedule_puts_back_what_it_set_even_after_an_error(schedule):
    """Switch interval and trace function are as before."""
    interval_s = sys.getswitchinterval()
    with pytest.raises(KeyError), schedule.applied("1/1"):
        raise KeyError
    assert sys.getswitchinterval() == interval_s
    assert threading.gettrace() is None


def test_an_unknown_schedule_names_the_known_ones():
    """The message says what to write instead."""
    with pytest.raises(BadArgumentError, match="unknown schedule 'x'; choose one of .*delay"):
        find_schedule("x")
