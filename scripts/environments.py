"""Environments with one release each, installed as of its upload day and kept for the next run."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

from fixwatch.history.release_table import Release, load_release_table
from fixwatch.installing.as_of import install_exactly, resolve_as_of
from fixwatch.installing.as_of_exceptions import find_missing_requirements
from fixwatch.installing.cuda_parts import NO_CUDA_REQUIREMENTS, CudaRequirements
from fixwatch.layout import STATE_DIR


def find_release(upstream: str, version: str) -> Release:
    """Return a release of the table."""
    (found,) = [
        release
        for release in load_release_table()
        if (release.upstream, release.version) == (upstream, version)
    ]
    return found


def install(release: Release, purpose: str, parts: CudaRequirements = NO_CUDA_REQUIREMENTS) -> Path:
    """Return the interpreter of a release's environment for some purpose, with the parts for it."""
    name = f"{release.upstream}-{release.version}-{purpose}-py{platform.python_version()}"
    folder = STATE_DIR.absolute() / "measured" / name
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        subprocess.run([sys.executable, "-m", "virtualenv", "-q", "--no-pip", folder], check=True)
        requirements = [
            f"{parts.name(release.upstream)}=={release.version}",
            *parts.requirements,
            *find_missing_requirements(release.upstream, release.version),
        ]
        moment = release.resolved_as_of
        resolution = resolve_as_of(requirements, moment, python, exempt=[release.upstream])
        install_exactly(resolution.pins, folder, python)
        (folder / "installed").touch()
    return python
