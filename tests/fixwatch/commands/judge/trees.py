"""Small checkouts for tests: a repository that says that it is numba."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timezone

DAY = datetime(2024, 5, 1, tzinfo=timezone.utc)


def git(folder, *arguments):
    """Run git as a user would, and return its output."""
    return subprocess.run(
        ["git", "-c", "user.name=n", "-c", "user.email=e", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "GIT_AUTHOR_DATE": DAY.isoformat(),
            "GIT_COMMITTER_DATE": DAY.isoformat(),
        },
    ).stdout.strip()


def create_tree(folder, name="numba"):
    """Make a checkout with one commit."""
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "pyproject.toml").write_text(f'[project]\nname = "{name}"\nversion = "1"\n')
    (folder / ".gitignore").write_text("build/\n")
    (folder / "kept.py").write_text("kept = 1\n")
    (folder / "gone.py").write_text("gone = 1\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", "first")
    git(folder, "tag", "0.1.0")
    return folder
