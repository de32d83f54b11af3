"""The reproducer's command line, as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mwe.defects import DEFECTS, WORKLOADS

ROOT = Path(__file__).resolve().parents[2]


def mwe(*arguments, python=sys.executable, **environment):
    """Run ``python -m mwe`` from the repository's root."""
    return subprocess.run(
        [python, "-m", "mwe", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--workload", "nope"], "unknown workload 'nope'; choose one of local-array"),
        (["--schedule", "nope"], "unknown schedule 'nope'; choose one of"),
        (["--target", "nope"], "unknown target 'nope'; choose one of simulator, cuda, compiler"),
        (["--trials", "0"], "--trials is 0; give at least 1"),
        (["--trials", "many"], "invalid int value: 'many'"),
        (["--nope"], "unrecognized arguments: --nope"),
        (["--target", "cuda", "--schedule", "delay"], "use --schedule natural or launch-mix"),
        (["--schedule", "launch-mix"], "use --schedule delay or handoff or explore or natural"),
        (["--target", "cuda", "--workload", "planted-race"], "use --target simulator"),
        (["--workload", "event-query"], "use --target compiler or cuda"),
        (["--workload", "planted-overrun"], "use --target compiler or cuda"),
        (["--workload", "returned-local-array"], "use --target compiler"),
        (["--target", "compiler", "--workload", "host-launch"], "use --target simulator"),
        (["--target", "compiler", "--schedule", "delay"], "use --schedule natural"),
        (["--ptx", "nine"], "compute capability 'nine' is not of the form 9.0"),
        (["--ptx", "--workload", "planted-race"], "has nothing to compile for a device"),
        (["--check", "--target", "nope"], "unknown target 'nope'"),
        (["--shield", "--target", "cuda"], "--shield is for --target simulator"),
    ],
)
def test_bad_arguments_are_one_line_and_exit_2(arguments, message):
    """The line says what was found and what to do, without a traceback."""
    done = mwe(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_list_prints_each_defect_and_below_it_its_workloads():
    """The first word of an indented line is a name that --workload takes."""
    done = mwe("--list")
    lines = done.stdout.splitlines()
    assert done.returncode == 0
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == list(DEFECTS)
    assert [line.split()[0] for line in lines if line.startswith(" ")] == list(WORKLOADS)
    assert all(len(line.split()) > 3 for line in lines)


def test_a_reader_that_closes_the_pipe_early_gives_the_status_of_sigpipe():
    """There is no line on standard error for it."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [sys.executable, "-m", "mwe", "--list"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (141, b"")


def test_json_has_the_documented_fields_and_exit_status_1_for_failures():
    """A batch of the positive control prints one object, whose counts agree."""
    # P(20 trials without a failure) <= 2**-20 with p >= 0.5; measured 0.88 and more.
    done = mwe("--workload", "planted-race", "--trials", "20", "--seed", "7", "--json")
    result = json.loads(done.stdout)
    documented = (
        "version workload schedule target trials failures failures_by_mode early_return_failures "
        "first_failure_trial first_failure_s duration_s seed attributes status packages python"
    )
    assert set(documented.split()) <= result.keys()
    assert done.returncode == 1
    assert (result["version"], result["trials"], result["seed"]) == (1, 20, 7)
    assert result["failures"] == sum(result["failures_by_mode"].values()) > 0
    assert result["attributes"] == {"local": result["failures"]}
    assert result["first_failure_trial"] == result["failing_trials"][0]
    assert result["status"] == "complete"
    assert "numba" in result["packages"]


def test_nothing_observed_exits_0():
    """A negative control on the installed numba shows no failure."""
    done = mwe("--workload", "one-thread", "--trials", "5")
    assert done.returncode == 0
    assert "0 of 5 trials failed" in done.stdout


def test_without_a_device_cuda_is_a_failure_of_the_harness():
    """The status is 3, with one line on standard error and nothing that looks like a result."""
    done = mwe("--target", "cuda", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.startswith("mwe: ")
    assert done.stderr.count("\n") == 1


def test_without_numba_the_harness_could_not_run(tmp_path):
    """A fresh environment without numba exits 3 and says so."""
    subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--no-pip", tmp_path], check=True)
    done = mwe(python=next(tmp_path.glob("[bS]*/python*")))
    assert done.returncode == 3
    assert done.stdout == ""
    assert "numba is not installed" in done.stderr


def test_without_a_compiler_nothing_is_judged(tmp_path):
    """A toolkit that is missing is no fault of a kernel: status 3, and numba's own words."""
    done = mwe("--target", "compiler", CUDA_HOME=str(tmp_path), CUDA_PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("mwe: no CUDA compiler: ")
