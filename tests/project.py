"""A copy of the project for tests that measure: its own results, environments and state."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def copy_project(destination: Path) -> Path:
    """Copy what git tracks, or would, into an empty folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("results/"):
            (destination / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, destination / name)
    return destination


def project_environment(home: Path, **extra: str) -> dict[str, str]:
    """Return an environment whose home is a test's, with the user's cache of wheels."""
    uv = Path(sys.executable).with_name("uv")
    cache = subprocess.run([uv, "cache", "dir"], check=True, capture_output=True, text=True)
    home.mkdir(exist_ok=True)
    # The first pythonX.Y on the PATH is not always one that works: a version manager's shim, say.
    broken = home / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    # asv looks for the configuration and git for an identity in the home folder.
    return {
        **os.environ,
        "HOME": str(home),
        "PATH": os.pathsep.join([str(home), os.environ["PATH"]]),
        "UV_CACHE_DIR": cache.stdout.strip(),
        "PYTHONUNBUFFERED": "1",
        **extra,
    }
