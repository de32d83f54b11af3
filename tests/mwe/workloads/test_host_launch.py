"""Launches from two host threads: that they overlap where they should, and how they are judged."""

from __future__ import annotations

import threading

import pytest
from numba import cuda

from mwe.defects import WORKLOADS
from mwe.runner import iter_trials
from mwe.schedules import Natural
from mwe.workloads.host_launch.launches import REFUSAL, HostLaunches, Order
from mwe.workloads.subject import LaunchRefusedError

N_THREADS = 3


class ScriptedLaunches(HostLaunches):
    """Has the launches do what it is given, one thing each in the order in which they begin."""

    user_files = frozenset({__file__})
    guarded_globals = ()

    def __init__(self, *scripts, order=Order.AT_ONCE):
        super().__init__(order, N_THREADS, [N_THREADS])
        self._scripts = iter(scripts)

    def build_kernel(self):
        """Return nothing: there is no kernel."""

    def launch_once(self, kernel, output, meet):
        """Do the next thing."""
        next(self._scripts)(output, meet)


def count(output, meet):
    """Do what a launch should."""
    meet()
    output[0] = N_THREADS


def run_once(output, meet):
    """Do what one thread does."""
    meet()
    output[0] = 1


def refuse(_output, _meet):
    """Refuse the launch as upstream does."""
    raise AssertionError(REFUSAL)


def refuse_late(output, meet):
    """Refuse a launch that had an effect already."""
    run_once(output, meet)
    refuse(output, meet)


def fail(_output, _meet):
    """Raise from inside."""
    raise AttributeError("'Thread' object has no attribute 'blockIdx'")


def fail_otherwise(_output, _meet):
    """Raise what only looks like a refusal."""
    raise AssertionError("grid is empty")


def find_overlap(order):
    """Return the most launches that ran at once, of 20 times two."""
    n_running = most = 0
    lock = threading.Lock()

    def launch(_output, meet):
        nonlocal n_running, most
        with lock:
            n_running += 1
            most = max(most, n_running)
        meet()
        with lock:
            n_running -= 1

    for _ in range(20):
        ScriptedLaunches(launch, launch, order=order).launch(None)
    return most


def test_launches_overlap_where_nothing_orders_them():
    """A kernel waits for the other host thread, which comes within the limit now and then."""
    assert find_overlap(Order.AT_ONCE) == 2


@pytest.mark.parametrize("order", [Order.IN_TURN, Order.LOCKED])
def test_launches_of_a_control_do_not_overlap(order):
    """Whatever the threads do, one launch is over when the other begins."""
    assert find_overlap(order) == 1


@pytest.mark.parametrize("order", Order)
def test_launches_that_do_what_they_should_pass(order):
    """The oracle does not flag two right launches."""
    subject = ScriptedLaunches(count, count, order=order)
    assert not subject.judge(subject.launch(None))


@pytest.mark.parametrize("scripts", [(run_once, count), (count, run_once)])
def test_a_launch_that_runs_once_is_a_wrong_result(scripts):
    """Either of the launches is judged."""
    subject = ScriptedLaunches(*scripts)
    assert "left [1], expected [3]" in subject.judge(subject.launch(None))


@pytest.mark.parametrize("scripts", [(refuse, count), (count, refuse), (refuse, refuse)])
def test_a_refused_launch_is_none_that_failed(scripts):
    """An error that says that launches are refused is the documented limit."""
    with pytest.raises(LaunchRefusedError, match=REFUSAL):
        ScriptedLaunches(*scripts).launch(None)


@pytest.mark.parametrize("scripts", [(refuse, run_once), (run_once, refuse)])
def test_a_refusal_does_not_hide_the_other_launch(scripts):
    """A wrong result beside a refused launch is a wrong result."""
    subject = ScriptedLaunches(*scripts)
    assert "left [1], expected [3]" in subject.judge(subject.launch(None))


def test_a_refused_launch_must_have_no_effect():
    """A launch that is refused after it did something has a wrong result."""
    subject = ScriptedLaunches(refuse_late, count)
    assert "left [1], expected [0]" in subject.judge(subject.launch(None))


@pytest.mark.parametrize("scripts", [(fail, count), (refuse, fail), (fail_otherwise, count)])
def test_an_exception_from_inside_is_no_refusal(scripts):
    """Other errors pass through, also beside a refused launch."""
    with pytest.raises((AttributeError, AssertionError), match="blockIdx|empty"):
        ScriptedLaunches(*scripts).launch(None)


@pytest.mark.parametrize("order", [Order.IN_TURN, Order.LOCKED])
def test_a_control_must_not_be_refused(order):
    """Where launches do not overlap, a refusal is a failure."""
    with pytest.raises(AssertionError, match=REFUSAL):
        ScriptedLaunches(count, refuse, order=order).launch(None)


def run(name, n_trials=20):
    """Return the outcomes of some trials in this process."""
    trials = iter_trials(WORKLOADS[name].load(), Natural(), 1, range(1, n_trials + 1))
    return [trial.outcome for trial in trials]


def refuses_launches():
    """Return whether the installed release refuses a launch during another one."""
    entered, may_end = threading.Event(), threading.Event()

    @cuda.jit
    def kernel():
        entered.set()
        may_end.wait(10)

    host = threading.Thread(target=lambda: kernel[1, 1]())
    host.start()
    entered.wait(10)
    try:
        threading.Timer(0.01, may_end.set).start()
        kernel[1, 1]()
    except AssertionError:
        return True
    finally:
        may_end.set()
        host.join()
    return False


@pytest.mark.parametrize("name", ["host-launch", "host-launch-index"])
def test_releases_that_refuse_are_seen_to(name):
    """Where upstream refuses the second launch, trials pass as refused and none fails."""
    if not refuses_launches():
        pytest.skip("this release does not refuse a launch during another one")
    outcomes = run(name)
    # 199 of 200 were refused on a busy machine.
    assert any(outcome.refused for outcome in outcomes)
    assert not any(outcome.failed for outcome in outcomes)


@pytest.mark.parametrize("name", ["host-launch-in-turn", "host-launch-locked"])
def test_the_controls_never_fail(name):
    """Launches that do not overlap have the effect that they have alone."""
    assert not any(outcome.failed or outcome.refused for outcome in run(name))
