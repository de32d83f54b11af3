"""``python -m fixwatch mine``: a user's own tests in their own interpreter."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mwe.isolation import CAN_FORK
from tests.mwe.user_tests.suites import ALLOCATOR, RACY, run_mine

pytestmark = pytest.mark.skipif(not CAN_FORK, reason="needs a safe fork")

QUICK = ("--trials", "4", "--limit", "1", "--timeout", "15")
LOCKED = """
import collections
import threading
from contextlib import contextmanager
from numba.cuda.simulator import kernel, kernelapi

swap, locks = kernelapi.swapped_cuda_module, collections.defaultdict(threading.RLock)

@contextmanager
def swapped_cuda_module(fn, fake):
    with locks[fn.__module__], swap(fn, fake):
        yield

kernelapi.swapped_cuda_module = swapped_cuda_module
"""


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a test that meets the race."""
    (tmp_path / "test_racy.py").write_text(RACY)
    (tmp_path / "allocator.py").write_text(ALLOCATOR)
    return tmp_path


def test_the_work_around_that_replaces_one_name_does_nothing(folder):
    """The function is in use under another: with both replaced, the race is gone."""
    # The hand-off makes the two threads meet in each of its runs.
    (folder / "one_name.py").write_text(LOCKED)
    both = LOCKED + "kernel.swapped_cuda_module = swapped_cuda_module\n"
    (folder / "both_names.py").write_text(both)
    without, one, two = (
        run_mine(folder, "test_racy.py", "--alone", *QUICK, *plugin)
        for plugin in ((), ("-p", "one_name"), ("-p", "both_names"))
    )
    assert (without.returncode, one.returncode, two.returncode) == (1, 1, 0), one.stderr
    assert "this looks like cuda-swap" in one.stdout
    assert "not shown" in two.stdout


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        ("def test_a(): pass\n", 0, "not shown"),
        ("def test_a(): assert 1 == 2\n", 4, "an assertion of its own fails: assert 1 == 2"),
        ("def test_a(:\n", 3, "SyntaxError"),
        ("import pytest\n@pytest.mark.skip(reason='x')\ndef test_a(): pass\n", 3, "skipped: x"),
    ],
)
def test_the_exit_status_says_what_was_found(tmp_path, content, status, said):
    """Nothing of this is a defect."""
    (tmp_path / "test_it.py").write_text(content)
    done = run_mine(tmp_path, "test_it.py", "--alone", *QUICK)
    assert done.returncode == status
    assert said in done.stdout + done.stderr


def test_a_file_that_does_not_import_leaves_no_clean_status(tmp_path):
    """The others passed, and one says nothing."""
    (tmp_path / "test_broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "test_sound.py").write_text("def test_b(): pass\n")
    done = run_mine(tmp_path, ".", "--alone", *QUICK)
    assert done.returncode == 3
    assert "test_broken.py: not collected: " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("test_nothing.py",), "file or directory not found: test_nothing.py"),
        (("test_racy.py", "--python", "/nowhere/python"), "there is no interpreter"),
        (("test_racy.py", "--directory", "nowhere"), "there is no folder 'nowhere'"),
        (("test_racy.py", "--trials", "0"), "--trials is 0"),
        ((), "required: TEST"),
    ],
)
def test_bad_input_is_a_line(folder, arguments, said):
    """Its exit status is 2."""
    done = run_mine(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interpreter_without_the_packages_says_so(folder):
    """It is made on the spot, and has nothing."""
    empty = folder / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(empty)], check=True)
    done = run_mine(folder, "test_racy.py", "--python", str(empty / "bin" / "python"))
    assert (done.returncode, done.stdout) == (3, "")
    assert "not installed" in done.stderr
