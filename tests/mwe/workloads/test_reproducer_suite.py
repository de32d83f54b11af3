"""The suite to hand out: it fails where the race is, each time, and nowhere else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from xml.etree import ElementTree

import pytest
from numba import config

from mwe.workloads.local_array.reproducer import test_reproducer as suite

REPORT = Path(__file__).parents[3] / "docs" / "reports" / "cuda-swap.md"
MAX_SUITE_S = 60  # a simulator that deadlocks never ends
MISSING = "module 'numba.cuda' has no attribute 'local'"

PLUG_IN = """
from numba.cuda.simulator import kernel, kernelapi
exec({swap!r}, vars(kernelapi))
kernel.swapped_cuda_module = kernelapi.swapped_cuda_module
"""
LOCK_HELD_THROUGHOUT = """
import collections

_locks = collections.defaultdict(threading.RLock)
_swapped_cuda_module = swapped_cuda_module

@contextmanager
def swapped_cuda_module(fn, fake_cuda_module):
    with _locks[fn.__module__], _swapped_cuda_module(fn, fake_cuda_module):
        yield
"""
SLOW_TO_SWAP = """
import time

_swapped_cuda_module = swapped_cuda_module

@contextmanager
def swapped_cuda_module(fn, fake_cuda_module):
    swaps = fn.__globals__["cuda"] is not fake_cuda_module
    with _swapped_cuda_module(fn, fake_cuda_module):
        time.sleep(0.02 if swaps else 0)
        yield
        time.sleep(0.02 if swaps else 0)
"""
WITHOUT_DEVICE = """
from numba import cuda

cuda.is_available = lambda: False
"""
CONTROLS = {"no-thread", "one-thread"}


@pytest.fixture
def run_suite(tmp_path):
    """Return a function that runs a copy of the suite, with a simulator that swaps otherwise."""
    copy = shutil.copytree(
        Path(suite.__file__).parent,
        tmp_path / "reproducer",
        ignore=shutil.ignore_patterns("__pycache__"),
    )

    def run(*arguments, swap=None):
        """Return each case's error, or why it was skipped; None where it passed."""
        if swap is not None:
            (copy / "conftest.py").write_text(PLUG_IN.format(swap=swap), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "pytest", "--junitxml=results.xml", *arguments, copy],
            cwd=tmp_path,
            env={**os.environ, "NUMBA_ENABLE_CUDASIM": "1"},
            stdout=subprocess.DEVNULL,
            timeout=MAX_SUITE_S,
            check=False,
        )
        errors = {}
        for case in ElementTree.parse(tmp_path / "results.xml").iter("testcase"):
            ends = [end for end in case if end.tag in ("failure", "error", "skipped")]
            name = case.get("name").partition("[")[2].rstrip("]")
            errors[name] = ends[0].get("message") if ends else None
        return errors

    return run


def test_each_case_of_two_threads_fails_on_an_affected_release(run_suite):
    """The installed numba is: 13 cases end with the race's error, and the two controls pass."""
    errors = run_suite()
    assert {name for name, error in errors.items() if error is None} == CONTROLS
    assert len(errors) == 15
    assert all(MISSING in error for error in errors.values() if error is not None)


def test_the_thread_that_swaps_is_the_first_to_leave(run_suite):
    """The same cases fail where it sleeps between swapping and its call, and before it restores."""
    errors = run_suite(swap=SLOW_TO_SWAP)
    assert {name for name, error in errors.items() if error is None} == CONTROLS


def test_no_case_fails_with_the_fix(run_suite):
    """Calls that are counted under a lock, as in numba-cuda 0.26.0, let all 15 pass."""
    change = REPORT.read_text(encoding="utf-8").split("## Change\n")[1]
    errors = run_suite(swap=change.partition("```python\n")[2].partition("```")[0])
    assert len(errors) == 15
    assert set(errors.values()) == {None}


def test_threads_that_cannot_meet_pass(run_suite):
    """A lock that lets one thread at a time into the allocator fixes the race as well."""
    errors = run_suite("-k", "seven-threads-1 or two-blocks", swap=LOCK_HELD_THROUGHOUT)
    assert errors == {"seven-threads-1": None, "two-blocks": None}


def test_a_case_that_is_skipped_has_not_passed(run_suite):
    """Without a device each of the 15 says so."""
    errors = run_suite(swap=WITHOUT_DEVICE)
    assert len(errors) == 15
    assert all("no CUDA device" in (error or "") for error in errors.values())


@pytest.mark.parametrize("in_simulator", [True, False])
def test_threads_are_ordered_in_the_simulator_alone(monkeypatch, in_simulator):
    """The schedule listens to threads inside its block, and on a device not even there."""
    monkeypatch.setattr(config, "ENABLE_CUDASIM", in_simulator)
    before = threading.gettrace()
    with suite.meeting_in_the_allocator(7):
        assert (threading.gettrace() is not before) == in_simulator
    assert threading.gettrace() is before
