"""``python -m fixwatch mine`` with what it compares with: the shield, and another release."""

from __future__ import annotations

import json
import shutil
import subprocess

import jsonschema
import pytest
from uv import find_uv_bin

from mwe.isolation import CAN_FORK
from scripts.write_schemas import DOCS
from tests.mwe.user_tests.suites import ROOT, run_mine

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(not CAN_FORK, reason="needs a safe fork"),
]

# Two threads read each other's element of a shared array.
SPLIT = """
import numpy as np
from numba import cuda, float32

@cuda.jit
def kernel(output):
    shared = cuda.shared.array(2, float32)
    i = cuda.grid(1)
    shared[i] = i + 1
    cuda.syncthreads()
    output[i] = shared[1 - i]

def test_kernel():
    output = np.zeros(2, dtype=np.float32)
    kernel[1, 2](output)
    np.testing.assert_array_equal(output, [2, 1])
"""
PLAIN_HELPER = """
import numpy as np
from numba import cuda
from plain import allocate

@cuda.jit
def kernel(output):
    output[cuda.grid(1)] = allocate()[0]

def test_kernel():
    kernel[1, 2](np.zeros(2))
"""
PLAIN = """
from numba import cuda

def allocate():
    return cuda.local.array(1, dtype="float32")
"""


@pytest.fixture(scope="module")
def clean_python(tmp_path_factory):
    """Return the interpreter of an environment with numba 0.68.1, pytest and nothing else."""
    folder = tmp_path_factory.mktemp("clean") / "venv"
    for command in (
        ["venv", "-q", "--no-project", str(folder)],
        ["pip", "install", "-q", "-p", str(folder), "numba==0.68.1", "pytest"],
    ):
        subprocess.run([find_uv_bin(), *command], check=True)
    return str(folder / "bin" / "python")


def read(done):
    """Return the document that the command printed, which fits its schema."""
    document = json.loads(done.stdout)
    jsonschema.validate(document, json.loads((DOCS / "mine.schema.json").read_text()))
    return document


def test_the_suite_to_hand_out_is_the_race_and_both_repairs_end_it(tmp_path, clean_python):
    """Its 13 cases of two threads meet the race each time; the other two cannot."""
    suite = ROOT / "mwe" / "workloads" / "local_array" / "reproducer"
    leave_out = shutil.ignore_patterns("__pycache__")
    shutil.copytree(suite, tmp_path / "reproducer", ignore=leave_out)
    done = run_mine(tmp_path, "reproducer", "--python", clean_python, "--limit", "1", "--json")
    assert done.returncode == 1, done.stderr
    document = read(done)
    by_defect = [test["defect"] for test in document["tests"]]
    assert (by_defect.count("cuda-swap"), by_defect.count(None)) == (13, 2)
    for compared in document["compared"]:
        assert compared["reason"] == ""
        assert len(compared["tests"]) == 13
        assert {test["verdict"] for test in compared["tests"]} == {"not-shown"}


def test_the_shield_tells_whose_wrong_numbers_they_are(tmp_path, clean_python):
    """A switch in the look-up splits the array in the simulator of every release."""
    (tmp_path / "test_split.py").write_text(SPLIT)
    options = ("--trials", "4", "--limit", "30", "--json")
    done = run_mine(tmp_path, "test_split.py", "--python", clean_python, *options)
    assert done.returncode == 1, done.stderr
    document = read(done)
    (test,) = document["tests"]
    assert (test["verdict"], test["defect"]) == ("defect", "shared-split")
    assert "when the shield repairs shared-split alone" in test["answer"]


def test_an_error_of_the_same_words_that_no_repair_ends_is_no_defect(tmp_path, clean_python):
    """A plain function of another module gets the real `cuda`, with one thread as with two."""
    (tmp_path / "test_plain.py").write_text(PLAIN_HELPER)
    (tmp_path / "plain.py").write_text(PLAIN)
    options = ("--trials", "4", "--limit", "1")
    done = run_mine(tmp_path, "test_plain.py", "--python", clean_python, *options)
    assert done.returncode == 4, done.stderr
    assert "looks like cuda-swap, and is there as well where that is repaired" in done.stdout
