"""The user's environment with another release in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fixwatch.commands.mine.environments import copy_with_release
from fixwatch.installing.as_of import ResolutionError, create_environment, install_exactly

PROJECT = '[project]\nname = "numba-cuda"\nversion = "9.9"\n[tool.setuptools]\npy-modules = []\n'


def test_a_checkout_of_numba_cuda_does_not_pass_for_the_release(tmp_path):
    """What it shows would be taken for the release's; there is nothing to compare with."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "pyproject.toml").write_text(PROJECT)
    own = create_environment(tmp_path / "own", Path(sys.executable))
    install_exactly(["setuptools==80.9.0"], own.path, own.python)
    command = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", own.python]
    editable = ["--no-build-isolation", "-e", tmp_path / "checkout"]
    subprocess.run([*command, *editable], check=True, capture_output=True)
    with pytest.raises(ResolutionError, match="no version of numba-cuda==0.30.4"):
        copy_with_release(own.python, "0.30.4")
