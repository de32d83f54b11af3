"""Workloads and planted faults on a real device."""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest

from mwe.batch import Batch
from mwe.defects import WORKLOADS
from mwe.isolation import ISOLATION, run_batch
from mwe.schedules import Natural
from mwe.targets import Target
from mwe.workloads.subject import Role
from tests.device.loading import BAD_LAUNCH, load
from tests.mwe.test_main import mwe
from tests.project import ROOT

SOUND = [
    name
    for name, workload in WORKLOADS.items()
    if Target.CUDA in workload.targets and workload.role is not Role.POSITIVE_CONTROL
]
SCHEDULES = ["natural", "launch-mix"]
N_TRIALS = 200
N_LONG_TRIALS = 10_000


def run(*arguments):
    """Run the reproducer on the device; return exit status and batch."""
    done = mwe("--target", "cuda", "--json", *arguments)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("workload", SOUND)
def test_correct_code_does_not_fail(workload, schedule):
    """No workload or negative control fails in 200 trials, under either schedule."""
    arguments = ["--workload", workload, "--schedule", schedule, "--trials", str(N_TRIALS)]
    status, batch = run(*arguments)
    assert (status, batch["failures"], batch["details"]) == (0, 0, [])
    assert (batch["trials"], batch["target"], batch["status"]) == (N_TRIALS, "cuda", "complete")
    n_fresh = N_TRIALS // ISOLATION[Target.CUDA].fresh_period
    assert batch["trials_by_kernel"] == {"fresh": n_fresh, "reused": N_TRIALS - n_fresh}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_planted_overrun_fails_each_time(schedule):
    """The guards show the one element that was written too far, and nothing else goes wrong."""
    status, batch = run("--workload", "planted-overrun", "--schedule", schedule, "--trials", "20")
    assert (status, batch["trials"]) == (1, 20)
    assert batch["failures_by_mode"] == {"wrong-result": 20}
    assert "out of bounds: element" in batch["details"][0]


@pytest.mark.parametrize(
    ("fault", "mode", "detail"),
    [
        ("hang", "hang", r"did not end within 30 s"),
        # The driver's error 700 or 716, by its name or its number.
        ("far-write", "exception", r"\b(700|716)\b|ILLEGAL_ADDRESS|MISALIGNED_ADDRESS"),
    ],
)
def test_a_planted_fault_is_counted_and_the_rest_of_the_batch_runs(fault, mode, detail):
    """The third trial fails as what it is; a fresh process with a fresh context goes on."""
    batch = Batch(workload="planted", role="workload", schedule="natural", target="cuda", seed=1)
    run_batch(
        functools.partial(load, fault),
        Natural(),
        batch,
        BAD_LAUNCH + 2,
        replace(ISOLATION[Target.CUDA], max_workers=None),
    )
    assert batch.failures_by_mode == {mode: 1}
    assert batch.failing_trials == [BAD_LAUNCH]
    assert (batch.trials, batch.status) == (BAD_LAUNCH + 2, "complete")
    assert re.search(detail, batch.details[0])


def memcheck(subject):
    """Run five trials of a subject under NVIDIA's compute-sanitizer."""
    sanitizer = shutil.which("compute-sanitizer")
    if sanitizer is None:
        pytest.skip("not run: compute-sanitizer is not on the PATH")
    # That an event has not happened yet is an answer, not an error.
    command = [sanitizer, "--tool", "memcheck", "--report-api-errors", "no"]
    command += ["--error-exitcode", "99", sys.executable]
    command += ["-m", "tests.device.loading", subject, "5"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("workload", SOUND)
def test_memcheck_finds_nothing_in_correct_code(workload):
    """No access of a workload leaves its allocation."""
    done = memcheck(workload)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ERROR SUMMARY: 0 errors" in done.stdout
    assert "0 trials failed" in done.stdout


def test_memcheck_finds_the_far_write():
    """The sanitizer shows a planted far write, so its silence above means something."""
    done = memcheck("far-write")
    assert done.returncode == 99
    assert "Invalid __global__ write" in done.stdout


@pytest.mark.long_on_device
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("workload", SOUND)
def test_ten_thousand_trials_do_not_fail(workload, schedule):
    """No trial of 10,000 fails, which excludes a rate of 3e-4: (1 - 3e-4)**10000 < 0.05."""
    if os.environ.get("FIXWATCH_LONG") != "1":
        pytest.skip("not run: takes minutes a workload; FIXWATCH_LONG=1 asks for it")
    arguments = ["--workload", workload, "--schedule", schedule, "--trials", str(N_LONG_TRIALS)]
    status, batch = run(*arguments)
    assert (status, batch["failures"], batch["trials"]) == (0, 0, N_LONG_TRIALS)
