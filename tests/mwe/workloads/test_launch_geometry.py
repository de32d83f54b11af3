"""Which threads a launch of the local-array family has, and which of them are told apart."""

from __future__ import annotations

import threading
from dataclasses import replace
from math import prod

import numpy as np
import pytest

from mwe.defects import find_workload
from mwe.request import _load_subject
from mwe.runner import run_trial
from mwe.schedules import Granularity, Natural, find_schedule
from mwe.schedules.events import Listener
from mwe.schedules.tracing import listen
from mwe.targets import Target
from mwe.workloads.local_array import subjects
from mwe.workloads.subject import LaunchShape

# By index, in the order in which the simulator starts them: of a block of two dimensions it starts
# all threads of one x first.
ACTIVE = {
    "local-array": [0, 1, 2, 3, 4, 5, 6],
    "local-array-2d": [0, 4, 1, 5, 2, 6, 3],
    "local-array-blocks": [0, 1, 2, 3, 4, 5, 6],
    "shared-array": [0, 1, 2, 3, 4, 5, 6],
    "same-module": [0, 1, 2, 3, 4, 5, 6],
    "helper-without-cuda": [0, 1, 2, 3, 4, 5, 6],
    "one-thread": [0],
    "no-threads": [],
}
GRIDS = {
    "local-array-2d": ((1, 1, 1), (4, 8, 1)),
    "local-array-blocks": ((3, 1, 1), (4, 1, 1)),
}
ONE_BLOCK = ((1, 1, 1), (32, 1, 1))


@pytest.fixture
def one_after_another(monkeypatch):
    """Have each thread end before the next one starts, so that nothing can race."""
    start = threading.Thread.start

    def start_and_wait(thread):
        start(thread)
        thread.join()

    monkeypatch.setattr(threading.Thread, "start", start_and_wait)


@pytest.mark.parametrize("name", ACTIVE)
def test_a_launch_has_the_geometry_of_the_first_reports(name):
    """There are ten elements, and at most seven threads of 32 are active; blocks cover the ten."""
    subject = find_workload(name).load()
    assert subject.find_grid() == GRIDS.get(name, ONE_BLOCK)
    assert subject.n_threads == len(ACTIVE[name])
    assert subject.make_output().shape == (10,)


@pytest.mark.parametrize("name", ACTIVE)
def test_the_active_threads_alone_enter_the_device_function(name, one_after_another):
    """The ones that return early are started, and call nothing."""
    subject = find_workload(name).load()
    entered = set()

    class Ear(Listener):
        def __init__(self, number):
            self.number = number
            started.append(number)

        def call(self, depth):
            if depth == 2:
                entered.add(self.number)

    started = []
    with listen(Ear, Granularity.LINE, user_files=subject.user_files, outside_user_code=False):
        output = subject.launch(subject.build_kernel())
    blocks, threads = subject.find_grid()
    assert len(started) == prod(blocks) * prod(threads)
    # Three dimensions of threads are walked with z fastest, the blocks one behind the other.
    order = [
        subject.find_grid().find_index(thread, block)
        for block in np.ndindex(*blocks)
        for thread in np.ndindex(*threads)
    ]
    assert [order[number] for number in sorted(entered)] == ACTIVE[name]
    assert subject.describe_mismatch(output) == ""


@pytest.mark.parametrize("name", ["local-array", "local-array-2d", "local-array-blocks"])
@pytest.mark.parametrize("n_before", range(7))
def test_the_failing_thread_is_named_by_its_index(name, n_before, one_after_another, monkeypatch):
    """The simulator's own words for a thread lead back to it, in rows and in blocks behind."""
    n_calls = 0

    class FailingFactory:
        def __init__(self, _buffer_size):
            pass

        def build(self):
            def allocate():
                nonlocal n_calls
                n_calls += 1
                if n_calls == n_before + 1:
                    raise ValueError("planted")
                return np.zeros(1, np.float32)

            return allocate

    monkeypatch.setattr(subjects, "_AllocatorFactory", FailingFactory)
    subject = find_workload(name).load()
    with Natural().open(()) as pace:
        outcome = run_trial(subject, pace, subject.build_kernel(), "1/1")
    assert outcome.detail == "ValueError: planted"
    assert outcome.thread_index == ACTIVE[name][n_before]


@pytest.mark.parametrize("name", ACTIVE)
@pytest.mark.parametrize("schedule", ["handoff", "explore"])
def test_a_schedule_of_two_threads_is_given_two(name, schedule, one_after_another):
    """No thread is launched that the schedule does not order, and the oracle holds."""
    workload = find_workload(name)
    subject = _load_subject(workload, Target.SIMULATOR, find_schedule(schedule))
    blocks, threads = subject.find_grid()
    assert (prod(blocks), prod(threads)) == (1, 2)
    assert subject.n_threads == min(2, len(ACTIVE[name]))
    assert subject.describe_mismatch(subject.launch(subject.build_kernel())) == ""


def test_threads_return_early_on_a_device_whatever_is_asked_for():
    """What a schedule of launches asks for is active; the launch is larger, to show an overrun."""
    # No device is needed to load what is only looked at.
    workload = replace(find_workload("local-array"), needs_numba=False)
    subject = _load_subject(workload, Target.CUDA, find_schedule("launch-mix"))
    assert (subject.n_threads, subject.threads_per_block) == (1024, 1026)


@pytest.mark.parametrize("schedule", ["delay", "natural"])
def test_a_schedule_that_asks_for_none_leaves_the_geometry(schedule):
    """The workload's own geometry is what such a schedule runs."""
    subject = _load_subject(find_workload("local-array"), Target.SIMULATOR, find_schedule(schedule))
    assert subject.find_grid() == ONE_BLOCK


@pytest.mark.parametrize("n_per_block", [1, 8, 33])
@pytest.mark.parametrize("name", ["local-array", "local-array-2d", "local-array-blocks"])
def test_any_shape_of_a_device_reaches_every_index(name, n_per_block, one_after_another):
    """All active threads write, and threads behind them return, in blocks of any size."""
    subject = find_workload(name).load(40)
    shape = LaunchShape(threads_per_block=n_per_block, n_extra_blocks=1, uses_own_stream=False)
    blocks, threads = subject.find_grid(shape)
    assert prod(threads) == n_per_block
    assert prod(blocks) * n_per_block > subject.n_threads
    assert subject.describe_mismatch(subject.launch(subject.build_kernel(), shape)) == ""
