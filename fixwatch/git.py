"""Git, run so that it hears nothing of hooks, watchers or another repository, and locks nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from fixwatch.errors import FixwatchError

_SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.safecrlf=false",
    "advice.addEmbeddedRepo=false",
    "advice.detachedHead=false",
    "log.showSignature=false",
)


class GitError(FixwatchError):
    """Git said no; with the line in which it did."""


def run_git(
    arguments: Sequence[str],
    folder: Path,
    *,
    stdin: bytes = b"",
    variables: Mapping[str, str] | None = None,
) -> bytes:
    """Run git in a folder and return its output.

    Raises
    ------
    GitError
        If it fails, or is not installed.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    # What a partial clone lacks is not fetched behind the user's back.
    environment |= {"GIT_NO_LAZY_FETCH": "1", **(variables or {})}
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    try:
        completed = subprocess.run(
            ["git", *settings, *arguments],  # noqa: S607 (git from PATH)
            cwd=folder,
            input=stdin,
            capture_output=True,
            check=False,
            env=environment,
        )
    except FileNotFoundError as error:
        raise GitError("git is not installed, or not on the PATH; install it") from error
    except OSError as error:
        raise GitError(f"{folder}: git cannot be run there ({error.strerror})") from error
    if completed.returncode:
        raise GitError(
            f"{folder}: git {arguments[0]} failed ({_find_reason(completed.stderr)}); "
            "mend that and run the command again"
        )
    return completed.stdout


def _find_reason(stderr: bytes) -> str:
    """Return the line that says what went wrong, not the hints and warnings around it."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    named = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (named or lines or ["no reason"])[0].strip()


def read_line(output: bytes) -> str:
    """Return the only line of an output, of whatever bytes its names are made."""
    return os.fsdecode(output.removesuffix(b"\n"))


def split_entries(output: bytes) -> list[str]:
    """Return the entries of an output that was made with ``-z``."""
    return [os.fsdecode(entry) for entry in output.split(b"\0") if entry]
