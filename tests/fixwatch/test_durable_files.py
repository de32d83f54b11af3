"""Files are whole or as they were."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from fixwatch.durable_files import (
    make_own_folder,
    set_aside,
    write_json_atomically,
    write_text_atomically,
)
from tests.fixwatch.full_disk import run_on_full_disk


def write_forever(path):
    """Write alternating contents until killed."""
    for number in range(10**9):
        write_json_atomically(path, {"number": number, "padding": "x" * 200_000})


def test_a_file_is_whole_after_a_kill_at_any_moment(tmp_path):
    """Twenty kills in the middle of writing leave no half file."""
    path = tmp_path / "result.json"
    for attempt in range(20):
        process = multiprocessing.get_context("spawn").Process(target=write_forever, args=(path,))
        process.start()
        while not path.exists():
            time.sleep(0.001)
        time.sleep(0.003 * attempt)
        os.kill(process.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        process.join()
        assert len(json.loads(path.read_text())["padding"]) == 200_000
    if os.name == "posix":
        write_text_atomically(path, "the next one")
        assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.skipif(os.name != "posix", reason="nobody can ask for a process elsewhere")
def test_a_part_that_is_being_written_is_left_to_its_writer(tmp_path):
    """Of this process, or of one that is another user's; nor is that of another file touched."""
    kept = {f".a.json.{os.getpid()}-x.part", ".a.json.1-x.part", ".b.json.999999999-x.part"}
    for name in kept:
        (tmp_path / name).write_text("")
    write_text_atomically(tmp_path / "a.json", "")
    assert {entry.name for entry in tmp_path.iterdir()} == {"a.json", *kept}


@pytest.mark.skipif(os.name != "posix", reason="nobody can ask for a process elsewhere")
def test_a_folder_of_a_process_that_was_killed_goes(tmp_path):
    """One that is being filled stays, and so does what only begins alike."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    kept = {tmp_path / "building-1-x", tmp_path / "building-x-1", tmp_path / "building"}
    for folder in (*kept, tmp_path / f"building-{ended.pid}-x"):
        folder.mkdir()
        (folder / "file").write_text("")
    own = make_own_folder(tmp_path, "building-")
    assert make_own_folder(tmp_path, "building-") != own
    assert {path for path in tmp_path.iterdir() if path != own} > kept
    assert own.exists()
    assert not (tmp_path / f"building-{ended.pid}-x").exists()


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path):
    """A number that JSON does not have is refused before anything is touched."""
    path = tmp_path / "result.json"
    write_json_atomically(path, {"value": 1})
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json_atomically(path, {"value": float("nan")})
    with pytest.raises(UnicodeEncodeError):
        write_text_atomically(path, "\ud800")
    assert json.loads(path.read_text()) == {"value": 1}
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit on the size of files")
def test_a_disk_that_is_full_leaves_the_old_file_and_nothing_else(tmp_path):
    """The system refuses to write on in the middle of the file."""
    path = tmp_path / "result.json"
    write_text_atomically(path, "old")
    imports = "from fixwatch.durable_files import write_text_atomically"
    last = run_on_full_disk(
        1000, imports, "write_text_atomically(Path(sys.argv[1]), 'x' * 5000)", path
    )
    assert last == f"OSError: [Errno 27] File too large: '{path}'"
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["result.json"]


def test_files_set_aside_do_not_overwrite_each_other(tmp_path):
    """Each damaged copy keeps its content under a name of its own."""
    path = tmp_path / "a.json"
    for content in ("one", "two"):
        path.write_text(content)
        set_aside(path)
    assert not path.exists()
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == {
        "a.json.damaged-1": "one",
        "a.json.damaged-2": "two",
    }
