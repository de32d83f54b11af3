"""Small suites as users have them, which the tests write into a folder and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]

ALLOCATOR = """
import numpy as np
from numba import cuda

@cuda.jit(device=True)
def allocate():
    return cuda.local.array(4, dtype=np.float32)
"""

# Two modules and two threads: the race, and nothing that provokes it.
RACY = """
import numpy as np
from numba import cuda
from allocator import allocate

@cuda.jit
def kernel(output):
    i = cuda.grid(1)
    buffer = allocate()
    buffer[0] = 1.0
    output[i] = buffer[0]

def test_kernel():
    output = np.zeros(2, dtype=np.float32)
    kernel[1, 2](output)
    np.testing.assert_array_equal(output, np.ones(2))
"""

SUITE = """
import os
import signal
import socket
import threading
import time
import unittest

import numpy as np
import pytest
from numba import cuda

seen = []

@cuda.jit
def fill(output):
    output[cuda.grid(1)] = 1.0

@cuda.jit
def misspelt(output):
    output[cuda.grid(1)] = cuda.grit(1)

def launch():
    output = np.zeros(2)
    fill[1, 2](output)
    return output

def test_passes(answer):
    assert answer == 42 and launch().sum() == 2

def test_only_runs_once():
    seen.append(launch())
    assert len(seen) == 1

def test_without_threads():
    pass

def test_leaves_a_thread():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

@pytest.mark.parametrize("value", [1, 2])
def test_with_parameters(value):
    assert value == 1

class TestClass:
    def test_in_a_class(self):
        assert launch().sum() == 2

class TestCase(unittest.TestCase):
    def setUp(self):
        self.output = launch()

    def test_in_a_case(self):
        self.assertEqual(self.output.sum(), 2)

    def test_that_fails(self):
        self.assertEqual(self.output.sum(), 3)

@pytest.mark.xfail
def test_expected_to_fail():
    assert False

@pytest.mark.xfail(strict=True)
def test_expected_to_fail_that_does_not():
    pass

@pytest.mark.skip(reason="not today")
def test_skipped():
    assert False

def test_misspelt_on_the_host():
    cuda.grit(1)

def test_misspelt_in_a_kernel():
    misspelt[1, 2](np.zeros(2))

def test_needs_a_network():
    socket.getaddrinfo("a-name-that.does-not-exist.invalid", 80)

def test_hangs():
    threading.Event().wait()

def test_kills_its_process():
    os.kill(os.getpid(), signal.SIGKILL)

@pytest.fixture
def broken():
    raise RuntimeError("no such table")

def test_with_a_broken_fixture(broken):
    pass

def test_without_its_fixture(missing):
    pass
"""
CONFTEST = """
import pytest

@pytest.fixture(scope="session")
def answer():
    return 42
"""


def run_mwe(folder, *arguments):
    """Run ``python -m mwe --test`` in a folder, as in an environment of the user's."""
    return subprocess.run(
        [sys.executable, "-m", "mwe", "--test", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def run_mine(folder, *arguments):
    """Run ``python -m fixwatch mine`` in a folder of the user's."""
    return subprocess.run(
        [sys.executable, "-m", "fixwatch", "mine", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def read_answers(done):
    """Return the document that a run printed, and its tests by their own names."""
    document = json.loads(done.stdout)
    return document, {test["test"].rpartition("::")[2]: test for test in document["tests"]}
