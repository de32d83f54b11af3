"""The lock of a results folder, between real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from fixwatch.errors import FixwatchError
from fixwatch.run_lock import LOCK_NAME, hold_lock
from tests.fixwatch.full_disk import run_on_full_disk

HOLD = """
import sys
from pathlib import Path
from fixwatch.run_lock import hold_lock
hold_lock(Path(sys.argv[1]), lambda line: print(line, flush=True))
print("held", flush=True)
sys.stdin.read()
"""
HOLD_AND_START = """
import subprocess, sys
from pathlib import Path
from fixwatch.run_lock import hold_lock, inherited_descriptors
hold_lock(Path(sys.argv[1]), print)
subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                 pass_fds=inherited_descriptors())
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start():
    """Return a function that starts a process that holds the lock; they all end at last."""
    processes = []

    def start(folder, code=HOLD):
        process = subprocess.Popen(
            [sys.executable, "-c", code, folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def test_the_second_run_says_whom_it_waits_for_and_goes_on_after_it(tmp_path, start):
    """The announcement names process and folder."""
    first = start(tmp_path)
    assert first.stdout.readline() == "held\n"
    second = start(tmp_path)
    line = second.stdout.readline()
    assert line.startswith(f"waiting for process {first.pid} (since 2")
    assert line.endswith(f"which measures into {tmp_path}\n")
    first.stdin.close()
    assert second.stdout.readline() == "held\n"
    assert (tmp_path / LOCK_NAME).read_text().startswith(f"process {second.pid} ")


def test_a_run_that_was_killed_does_not_keep_the_lock(tmp_path, start):
    """The system lets go of the lock of a process that was killed."""
    first = start(tmp_path)
    assert first.stdout.readline() == "held\n"
    first.kill()
    first.wait()
    assert start(tmp_path).stdout.readline() == "held\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows passes no descriptors on")
def test_what_a_killed_run_left_behind_is_waited_for(tmp_path, start):
    """An installer that still writes into the environment keeps the lock."""
    first = start(tmp_path, HOLD_AND_START)
    assert first.stdout.readline() == "held\n"
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    second = start(tmp_path)
    assert second.stdout.readline().startswith(f"waiting for process {first.pid}")
    # The child reads the first one's standard input until that is closed.
    first.stdin.close()
    assert second.stdout.readline() == "held\n"


def test_the_same_process_takes_it_once(tmp_path):
    """A second environment of one run does not wait for the first."""
    lines = []
    hold_lock(tmp_path, lines.append)
    hold_lock(tmp_path, lines.append)
    assert lines == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    """The error says what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(FixwatchError, match="make the folder writable"):
        hold_lock(tmp_path / "file" / "results", print)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_disk_that_is_full_is_told_with_the_name_of_the_lock(tmp_path):
    """The system itself does not say which file it was."""
    imports = "from fixwatch.run_lock import hold_lock"
    last = run_on_full_disk(0, imports, "hold_lock(Path(sys.argv[1]), print)", tmp_path)
    assert last == f"OSError: [Errno 27] File too large: '{tmp_path / '.lock'}'"
