"""The only module that runs git; every call gets the same environment.

No hook runs, and no program that a repository names for watching files. Nothing is asked on the
terminal. Replaced and grafted commits are seen as they were made. Nothing is fetched unless the
caller says so. The user's own settings hold: ``url.<path>.insteadOf``, say.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from fixwatch.errors import FixwatchError

# Of one call; the longest reads a whole history in seconds. A stranger's settings may include a
# pipe that nobody writes into.
LIMIT_S = 120.0

_SETTINGS = (
    # A checkout or a mirror may be another user's, of a container say; nothing of it is run.
    "safe.directory=*",
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "core.safecrlf=false",
    # Commits that Fixwatch makes must have the same hash everywhere.
    "i18n.commitEncoding=UTF-8",
    "advice.addEmbeddedRepo=false",
    "advice.detachedHead=false",
    "log.showSignature=false",
)
# How the user reaches upstream. The rest of GIT_* would point git at other files: in a hook, say.
_KEPT_PREFIXES = ("GIT_CONFIG_", "GIT_SSH", "GIT_SSL_", "GIT_PROXY_", "GIT_EXEC_PATH")
_VARIABLES = {
    "GIT_ASKPASS": "",
    "GIT_GRAFT_FILE": os.devnull,
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitError(FixwatchError):
    """Git could not be run, or failed; its reason is the line in which git says why."""

    def __init__(self, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason or message


def run_git(
    arguments: Sequence[str],
    folder: Path,
    *,
    stdin: bytes = b"",
    settings: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
    may_fetch: bool = False,
    limit_s: float = LIMIT_S,
) -> bytes:
    """Run git in a folder and return its output.

    The folder is the top of a repository; those that it may lie in are not looked for. `settings`
    are ``NAME=VALUE`` of git's configuration. Only a call that `may_fetch` reads other repositories
    or fetches what a partial clone lacks.

    Raises
    ------
    GitError
        If it fails, does not end in time, or is not installed.
    """
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT_PREFIXES)
    }
    environment |= _VARIABLES
    environment["GIT_CEILING_DIRECTORIES"] = str(folder.absolute().parent)
    if not may_fetch:
        environment |= {"GIT_ALLOW_PROTOCOL": "none", "GIT_NO_LAZY_FETCH": "1"}
    options = [word for setting in (*settings, *_SETTINGS) for word in ("-c", setting)]
    try:
        completed = subprocess.run(
            ["git", *options, *arguments],  # noqa: S607 (git from PATH)
            cwd=folder,
            input=stdin,
            capture_output=True,
            check=False,
            env={**environment, **(variables or {})},
            timeout=limit_s,
        )
    except FileNotFoundError as error:
        if not folder.is_dir():
            raise GitError(f"{folder}: no such folder") from error
        raise GitError("git is not installed, or not on the PATH; install it") from error
    except OSError as error:
        raise GitError(f"{folder}: git cannot be run there ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise _describe_failure(folder, arguments, f"not done after {limit_s:g} s") from error
    if completed.returncode:
        raise _describe_failure(folder, arguments, _find_reason(completed.stderr))
    return completed.stdout


def check_out(folder: Path, commit: str) -> None:
    """Leave the files of a commit, and nothing else, in a work tree."""
    run_git(["checkout", "--quiet", "--force", "--detach", commit], folder)
    run_git(["clean", "--quiet", "-ffdx"], folder)


def _describe_failure(folder: Path, arguments: Sequence[str], reason: str) -> GitError:
    return GitError(
        f"{folder}: git {arguments[0]} failed ({reason}); mend that and run the command again",
        reason,
    )


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
