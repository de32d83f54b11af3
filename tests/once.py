"""What the first process of a test run makes, and all take."""

from __future__ import annotations

import os
import shutil

import portalocker

# Longer than the scan of a history takes on the slowest machine.
MAX_WAIT_S = 900.0


def make_once(tmp_path_factory, name, make):
    """Return a folder that the first who asks has filled; the others wait for that."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent
    folder, made = root / name, root / f"{name}.made"
    with portalocker.Lock(f"{folder}.lock", timeout=MAX_WAIT_S):
        if not made.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            made.touch()
    return folder
