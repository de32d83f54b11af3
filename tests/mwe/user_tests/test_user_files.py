"""Which files count as the user's."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import numpy as np

from mwe.user_tests.user_files import FilesBelow


def test_files_below_the_root_are_the_users(tmp_path):
    """Those beside it are not."""
    files = FilesBelow(tmp_path / "project")
    assert str(tmp_path / "project" / "kernels.py") in files
    assert str(tmp_path / "project2" / "kernels.py") not in files


def test_an_environment_below_the_root_is_not_the_users():
    """Nor is Python itself; but a test file that comes in a package is."""
    root = Path(sys.prefix).parent
    stdlib = Path(sysconfig.get_path("stdlib"))
    own = str(Path(np.__file__).parent / "tests" / "test_matlib.py")
    files = FilesBelow(root, {own})
    assert str(root / "kernels.py") in files
    assert np.__file__ not in files
    assert str(stdlib / "threading.py") not in files
    assert own in files


def test_a_folder_in_an_environment_is_the_users_where_it_is_the_root():
    """All below it counts."""
    folder = Path(np.__file__).parent
    assert np.__file__ in FilesBelow(folder)
