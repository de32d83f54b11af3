"""A small upstream: a package named numba with a simulator of its own, and a history of it.

It is a real package that is built, installed and measured like the real one, in a fraction of the
time. Its race appears in one commit and is fixed in another; between them lie commits that do not
build, do not import, and never end. None of it is upstream's code.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

SETUP = """
from setuptools import setup
setup(name="numba", version="0.1", packages=["numba", "numba.cuda"], install_requires=["numpy"])
"""
NUMBA = """
import os

class config:
    ENABLE_CUDASIM = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
"""
CUDA = """
from numba.cuda.simulator import jit

def is_available():
    return True
"""
SIMULATOR = """
import threading
from contextlib import contextmanager

import numpy

from numba.cuda.swap import swap

place = threading.local()

class Local:
    def array(self, shape, dtype):
        return numpy.zeros(shape, dtype)

class FakeCuda:
    local = Local()

    def grid(self, _ndim):
        return place.block * place.block_size + place.thread

class Kernel:
    def __init__(self, function):
        self.function = function

    def __getitem__(self, configuration):
        (n_blocks, _, _), (block_size, _, _) = configuration
        def launch(*arguments):
            for block in range(n_blocks):
                self.run_block(block, block_size, arguments)
        return launch

    def run_block(self, block, block_size, arguments):
        errors = []
        def run(thread):
            place.block, place.block_size, place.thread = block, block_size, thread
            try:
                self.function(*arguments)
            except Exception as error:
                prefix = f"tid=[{thread}, 0, 0] ctaid=[{block}, 0, 0]: "
                errors.append(type(error)(prefix + str(error)))
        with swap(self.function.__globals__, FakeCuda):
            threads = [
                threading.Thread(target=run, args=(i,), daemon=True) for i in range(block_size)
            ]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        if errors:
            raise errors[0]

def jit(function=None, *, device=False, inline=False):
    if function is None:
        return lambda function: jit(function, device=device)
    if not device:
        return Kernel(function)
    def call(*arguments):
        with swap(function.__globals__, FakeCuda):
            return function(*arguments)
    return call
"""
SOUND_SWAP = """
import threading
from contextlib import contextmanager

lock = threading.Lock()
held = {}

@contextmanager
def swap(module_globals, new_fake):
    import numba.cuda as real
    key = id(module_globals)
    with lock:
        count, names = held.get(key, (0, ()))
        if not count:
            names = [name for name, value in module_globals.items() if value is real]
            for name in names:
                module_globals[name] = new_fake()
        held[key] = count + 1, names
    try:
        yield
    finally:
        with lock:
            count, names = held.pop(key)
            if count > 1:
                held[key] = count - 1, names
            else:
                for name in names:
                    module_globals[name] = real
"""
RACY_SWAP = """
from contextlib import contextmanager

@contextmanager
def swap(module_globals, new_fake):
    import numba.cuda as real
    names = [name for name, value in module_globals.items() if value is real]
    fake = new_fake()
    for name in names:
        module_globals[name] = fake
    try:
        yield
    finally:
        for name in names:
            module_globals[name] = real
"""
BROKEN_SETUP = SETUP + "raise SystemExit('this commit does not build')\n"
BROKEN_CUDA = CUDA + "raise ImportError('this commit does not import')\n"
ENDLESS_CUDA = CUDA + "import time\nwhile True:\n    time.sleep(0.1)\n"

PLAIN = {
    "setup.py": SETUP,
    "pyproject.toml": '[build-system]\nrequires = ["setuptools", "wheel"]\n',
    "numba/__init__.py": NUMBA,
    "numba/cuda/__init__.py": CUDA,
    "numba/cuda/simulator.py": SIMULATOR,
    "numba/cuda/swap.py": SOUND_SWAP,
}
# Name, tag, committer's day, files that are changed; oldest first.
HISTORY: tuple[tuple[str, str, str, dict[str, str]], ...] = (
    ("first", "0.57.0", "2023-05-01", PLAIN),
    ("prose", "", "2023-06-01", {"README": "About.\n"}),
    ("sound", "", "2023-07-01", {"numba/cuda/note.txt": "one"}),
    ("appeared", "", "2023-08-01", {"numba/cuda/swap.py": RACY_SWAP}),
    ("unbuildable", "", "2023-09-01", {"numba/cuda/note.txt": "2", "setup.py": BROKEN_SETUP}),
    ("racy", "0.58.0", "2023-10-01", {"numba/cuda/note.txt": "3", "setup.py": SETUP}),
    ("unimportable", "", "2023-11-01", {"numba/cuda/__init__.py": BROKEN_CUDA}),
    ("endless", "", "2023-12-01", {"numba/cuda/__init__.py": ENDLESS_CUDA}),
    ("last-racy", "", "2024-01-01", {"numba/cuda/__init__.py": CUDA}),
    ("remark", "", "2024-01-15", {"README": "More.\n"}),
    ("fixed", "", "2024-02-01", {"numba/cuda/swap.py": SOUND_SWAP}),
    ("newest", "0.59.0", "2024-03-01", {"numba/cuda/note.txt": "4"}),
)


def create_small_numba(folder: Path) -> dict[str, str]:
    """Make the repository in an empty folder; return the commits by name, oldest first."""
    folder.mkdir(parents=True)
    _git(folder, "init", "-q", "-b", "main")
    for name, tag, day, files in HISTORY:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        _git(folder, "add", "-A")
        _git(folder, "commit", "-q", "-m", name, day=day)
        if tag:
            _git(folder, "tag", tag)
    return list_small_numba(folder)


def list_small_numba(folder: Path) -> dict[str, str]:
    """Return the commits of the repository's branch by name, oldest first."""
    lines = _git(folder, "log", "--reverse", "--format=%s %H", "main").splitlines()
    return dict(line.split() for line in lines)


def _git(folder: Path, *arguments: str, day: str = "2023-05-01") -> str:
    moment = f"{day}T00:00:00Z"
    return subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_AUTHOR_DATE": moment, "GIT_COMMITTER_DATE": moment},
    ).stdout.strip()
