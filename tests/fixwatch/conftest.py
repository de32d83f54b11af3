"""The command line as a real process in a checkout of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fixwatch.records.evidence import save_evidence
from tests.fixwatch.sample_records import new_batch, new_controls, new_record
from tests.project import copy_project


@pytest.fixture
def project(tmp_path):
    """Return a copy of the project without results."""
    return copy_project(tmp_path / "project")


@pytest.fixture
def fixwatch(project):
    """Return a function that runs ``python -m fixwatch`` in the project."""

    def run(*arguments, **environment):
        return subprocess.run(
            [sys.executable, "-m", "fixwatch", *arguments],
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )

    return run


@pytest.fixture
def releases(project):
    """Leave an affected and a fixed release in the project's results, and return their folder."""
    folder = project / "results" / "releases" / "m"
    affected = new_record("0.24.0", new_batch(failures=88), *new_controls(), upstream="numba-cuda")
    fixed = new_record("0.26.0", new_batch(), *new_controls(), upstream="numba-cuda")
    save_evidence(affected, folder / "a.evidence")
    save_evidence(fixed, folder / "b.evidence")
    return folder
