"""Batches in processes of their own: a trial that hangs, dies or leaks costs that trial only."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import replace

import pytest

from mwe.batch import Batch
from mwe.defects import find_workload
from mwe.errors import HarnessError
from mwe.isolation import CAN_FORK, ISOLATION, MAX_HANGS, Isolation, run_batch
from mwe.schedules import SCHEDULES, Natural
from mwe.targets import Target
from tests.subjects.planted import (
    AbruptSubject,
    ExitingSubject,
    HangingSubject,
    KilledSubject,
    LeakingForGoodSubject,
    RaisingSubject,
    SoundSubject,
    StuckSubject,
)

RACE = AttributeError("tid=[0, 0, 0] ctaid=[0, 0, 0]: module 'numba.cuda' has no attribute 'local'")
EARLY = AttributeError(
    "tid=[1, 0, 0] ctaid=[0, 0, 0]: module 'numba.cuda' has no attribute 'local'"
)

# Long enough for a busy machine to start a process, short enough to wait for.
QUICK = Isolation(trial_timeout_s=4.0, join_timeout_s=0.2)
DAMAGING_ON_DEVICE = ISOLATION[Target.CUDA].damaging

START_METHODS = [
    pytest.param(
        True,
        id="fork",
        marks=pytest.mark.skipif(not CAN_FORK, reason="this platform has no safe fork"),
    ),
    pytest.param(False, id="fresh-process"),
]


def ignore_progress(_batch):
    """Hear nothing."""


def run(load_subject, n_trials=6, schedule=None, report_progress=ignore_progress, **isolation):
    """Run a batch and return it."""
    batch = Batch(
        defect="d", workload="w", role="workload", schedule="s", target="simulator", seed=1
    )
    isolation = replace(QUICK, **isolation)
    run_batch(load_subject, schedule or Natural(), batch, n_trials, isolation, report_progress)
    return batch


@pytest.mark.parametrize("can_fork", START_METHODS)
@pytest.mark.parametrize(
    ("subject", "mode", "detail"),
    [
        (HangingSubject, "hang", "did not end within 4 s(, with [1-3] s of processor time)?\n"),
        (KilledSubject, "crash", "killed by SIGKILL"),
        (ExitingSubject, "crash", "exited with status 0"),
        (AbruptSubject, "crash", "exited with status 7"),
    ],
)
def test_what_ends_the_process_costs_one_trial(subject, mode, detail, can_fork):
    """The third trial is counted as what it is, and the rest of the batch still runs."""
    if sys.platform == "win32" and subject is KilledSubject:
        pytest.skip("Windows has no SIGKILL")
    batch = run(functools.partial(subject, 3), n_trials=4, can_fork=can_fork)
    assert batch.failures_by_mode == {mode: 1}
    assert (batch.trials, batch.failing_trials, batch.status) == (4, [3], "complete")
    assert re.search(detail, batch.details[0])
    if mode == "hang":
        assert ("processor" in batch.details[0]) == (sys.platform != "win32")
        # The stacks of all threads show the function that waits.
        assert "in misbehave" in batch.details[0]
        assert "in launch" in batch.details[0]


def test_a_workload_that_always_hangs_stops_the_batch():
    """After three hangs, each a full timeout, the batch stops, and its status says so."""
    batch = run(StuckSubject, n_trials=10)
    assert batch.failures_by_mode == {"hang": MAX_HANGS}
    assert batch.trials == MAX_HANGS
    assert batch.status == f"stopped after trial {MAX_HANGS} of 10: {MAX_HANGS} hangs"


@pytest.mark.parametrize("can_fork", START_METHODS)
def test_a_leak_does_not_reach_the_next_trial(can_fork):
    """Each trial starts from a state without leak, so each shows the leak and nothing after it."""
    batch = run(LeakingForGoodSubject, n_trials=4, can_fork=can_fork)
    assert batch.failures_by_mode == {"leaked-global": 4}


def test_a_sound_batch_is_complete():
    """Every trial runs once, and about half of them launch the kernel that was built before."""
    batch = run(SoundSubject, n_trials=5)
    assert (batch.trials, batch.failures, batch.first_failure_trial) == (5, 0, None)
    assert batch.trials_by_kernel == {"fresh": 3, "reused": 2}
    assert batch.status == "complete"


def test_early_return_failures_are_counted_by_thread_index():
    """A failing thread at or above n_threads should have returned early."""
    assert run(lambda: RaisingSubject(EARLY)).early_return_failures == 6
    assert run(lambda: RaisingSubject(RACE)).early_return_failures == 0


def test_early_return_failures_are_unknown_when_a_thread_is():
    """A failure without its thread makes the count unknown, not zero."""
    batch = run(lambda: RaisingSubject(ValueError("no prefix")))
    assert batch.early_return_failures is None


def test_the_first_failure_is_the_first():
    """Its number is 1-based, its time lies within the batch."""
    batch = run(functools.partial(AbruptSubject, 2), n_trials=3)
    assert batch.first_failure_trial == 2
    assert 0 < batch.first_failure_s <= batch.duration_s


def fail_to_load():
    """Fail as a missing package does."""
    raise HarnessError("numba is not installed")


def die_while_loading():
    """Die before there is a subject."""
    os._exit(9)


@pytest.mark.parametrize("can_fork", START_METHODS)
def test_a_workload_that_does_not_load_is_no_outcome(can_fork):
    """The reason passes through the process, and nothing is counted."""
    with pytest.raises(HarnessError, match="numba is not installed"):
        run(fail_to_load, can_fork=can_fork)


def test_a_process_that_dies_while_loading_is_no_outcome():
    """The harness fails and names the exit status; no trial is counted."""
    with pytest.raises(HarnessError, match="while the workload was loaded: exited with status 9"):
        run(die_while_loading, can_fork=False)


def test_progress_is_reported_after_each_trial():
    """The report sees every trial once."""
    seen = []
    run(SoundSubject, n_trials=3, report_progress=lambda batch: seen.append(batch.trials))
    assert seen == [1, 2, 3]


@pytest.mark.parametrize("name", ["delay", "handoff"])
def test_the_planted_race_fails(name):
    """The positive control fails: the schedule bites."""
    # Measured 0.98 a trial and more; with p >= 0.5, P(all 40 pass) <= 2**-40.
    schedule = SCHEDULES[name]
    load = functools.partial(find_workload("planted-race").load, schedule.n_active_threads)
    batch = run(load, n_trials=40, schedule=schedule)
    assert batch.failures_by_mode["missing-attribute"] > 0
    assert batch.attributes.keys() == {"local"}
    assert batch.early_return_failures == 0


@pytest.mark.parametrize("name", ["delay", "handoff"])
@pytest.mark.parametrize("workload", ["same-module", "helper-without-cuda", "one-thread"])
def test_negative_controls_never_fail(workload, name):
    """What cannot race does not fail, on whichever numba is installed."""
    schedule = SCHEDULES[name]
    load = functools.partial(find_workload(workload).load, schedule.n_active_threads)
    batch = run(load, n_trials=100, schedule=schedule)
    assert (batch.trials, batch.failures) == (100, 0)


class RecordingSubject(LeakingForGoodSubject):
    """Leaks in each trial, so that each runs in a worker of its own."""


@pytest.mark.parametrize("subject", [SoundSubject, RecordingSubject])
def test_the_number_of_a_trial_fixes_its_decisions(subject):
    """Whether trials share a worker or not, trial n gets the seed of trial n."""
    seeds = SeedRecorder()
    batch = run(subject, n_trials=4, schedule=seeds)
    assert batch.trials == 4
    assert seeds.read() == ["1/1", "1/2", "1/3", "1/4"]


class SeedRecorder:
    """A schedule that only writes down the seeds it is given, from whichever process."""

    n_active_threads = None

    def __init__(self):
        handle, self.path = tempfile.mkstemp()
        os.close(handle)

    @contextlib.contextmanager
    def open(self, user_files):
        """Pace trials by writing their seeds down."""
        yield self._write_down

    @contextlib.contextmanager
    def _write_down(self, trial_seed):
        """Write a seed down."""
        with open(self.path, "a", encoding="ascii") as file:
            file.write(trial_seed + "\n")
        yield

    def read(self):
        """Return the seeds in order."""
        with open(self.path, encoding="ascii") as file:
            return file.read().split()


class BrokenKernelSubject(SoundSubject):
    """Cannot build its kernel, as with an upstream that dropped an argument."""

    def build_kernel(self):
        """Fail."""
        raise TypeError("unexpected keyword argument 'inline'")


@pytest.mark.parametrize("can_fork", START_METHODS)
def test_a_kernel_that_does_not_build_is_no_crash(can_fork):
    """The harness fails with the reason; nothing is counted as a failing trial."""
    with pytest.raises(HarnessError, match="TypeError: unexpected keyword argument 'inline'"):
        run(BrokenKernelSubject, can_fork=can_fork)


@pytest.mark.skipif(not CAN_FORK, reason="a fresh process finds the file by its name")
def test_a_batch_that_is_killed_leaves_no_file(tmp_path, monkeypatch):
    """At no moment is there one with a name."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    seen = []
    batch = run(SoundSubject, report_progress=lambda _batch: seen.extend(tmp_path.iterdir()))
    assert (batch.status, seen) == ("complete", [])


@pytest.mark.skipif(not CAN_FORK, reason="this platform has no safe fork")
def test_a_worker_ends_when_nobody_reads():
    """A worker whose parent was killed runs no further trial."""
    script = (
        "import time\n"
        "from mwe.batch import Batch\n"
        "from mwe.isolation import run_batch\n"
        "from mwe.schedules import Natural\n"
        "from tests.subjects.planted import SlowSubject\n"
        "batch = Batch(defect='', workload='', role='', schedule='', target='', seed=1)\n"
        "run_batch(SlowSubject, Natural(), batch, 10**6,"
        " report_progress=lambda batch: print(batch.trials, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as parent:
        assert parent.stdout.readline() == "1\n"
        parent.kill()
    deadline_s = time.monotonic() + 30
    while is_alive(parent.pid) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not is_alive(parent.pid)


def is_alive(group):
    """Whether a process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_only_one_trial_of_a_period_builds_its_kernel():
    """On a device a kernel is expensive; the counts still tell fresh from reused."""
    batch = run(SoundSubject, n_trials=9, fresh_period=4)
    assert batch.trials_by_kernel == {"fresh": 3, "reused": 6}


def test_a_trial_that_ends_its_process_is_counted_with_its_kernel():
    """The trial that ended its process is counted under the kernel that its number stands for."""
    batch = run(functools.partial(AbruptSubject, 2), n_trials=3, fresh_period=3)
    assert batch.failing_trials == [2]
    assert batch.failures_by_kernel == {"reused": 1}


class RacingOnceSubject(LeakingForGoodSubject):
    """Fails with the race's signature at first, and with a wrong result ever after."""

    def launch(self, kernel, shape=None):
        """Raise once in a process."""
        self.n_launched += 1
        if self.n_launched == 1:
            raise RACE
        return 2


def test_after_an_exception_on_a_device_a_fresh_process_goes_on():
    """On a device any exception ends the worker; in the simulator the race itself does not."""
    batch = run(RacingOnceSubject, n_trials=3, damaging=DAMAGING_ON_DEVICE)
    assert batch.failures_by_mode == {"missing-attribute": 3}
    batch = run(RacingOnceSubject, n_trials=3)
    assert batch.failures_by_mode == {"missing-attribute": 1, "wrong-result": 2}


def test_failures_that_use_up_processes_stop_the_batch():
    """The batch stops at the limit of workers, counts what failed, and says so in its status."""
    batch = run(RacingOnceSubject, n_trials=9, damaging=DAMAGING_ON_DEVICE, max_workers=4)
    assert (batch.trials, batch.failures) == (4, 4)
    assert batch.status == "stopped after trial 4 of 9: failures used up 4 processes"
    whole = run(RacingOnceSubject, n_trials=4, damaging=DAMAGING_ON_DEVICE, max_workers=4)
    assert (whole.trials, whole.status) == (4, "complete")


class RefusedSubject(SoundSubject):
    """Has a kernel that the compiler refuses."""

    def compile_kernel(self, kernel):
        """Refuse."""
        raise HarnessError("the kernel does not compile for this device: NvvmError")


def test_a_kernel_that_does_not_compile_is_no_outcome():
    """Nothing is counted, and the compiler's reason passes through."""
    with pytest.raises(HarnessError, match="does not compile for this device: NvvmError"):
        run(RefusedSubject)
