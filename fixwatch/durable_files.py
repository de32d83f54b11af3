"""Files that are written whole or not at all, and damaged ones set aside."""

from __future__ import annotations

import glob
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any


def write_text_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader, or a kill at any moment, finds the old or the new one whole.

    Creates the folder if it is missing. On an error (a full disk, say) the old file stays. What a
    process that was killed has left of the same file is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{path.name}."
    _remove_leftovers(path.parent, prefix)
    handle, temporary = tempfile.mkstemp(
        dir=path.parent, prefix=f"{prefix}{os.getpid()}-", suffix=".part"
    )
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)
        if isinstance(error, OSError):
            # A disk that is full does not say where.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def make_own_folder(parent: Path, prefix: str) -> Path:
    """Make a folder for what this process builds, and return it.

    Folders of the prefix that processes have left which were killed are removed.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(parent, prefix)
    return Path(tempfile.mkdtemp(dir=parent, prefix=f"{prefix}{os.getpid()}-"))


def _remove_leftovers(folder: Path, prefix: str) -> None:
    """Remove what is named by a prefix and the number of a process that has ended."""
    if os.name != "posix":
        # Elsewhere nobody can ask for a process without ending it.
        return
    for leftover in folder.glob(f"{glob.escape(prefix)}*-*"):
        owner = leftover.name.removeprefix(prefix).partition("-")[0]
        try:
            os.kill(int(owner), 0)
        except ProcessLookupError:
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink(missing_ok=True)
        except (OSError, ValueError, OverflowError):
            # It is somebody else's.
            continue


def write_json_atomically(path: Path, data: Any, *, indent: int | None = None) -> None:
    """Write JSON as `write_text_atomically` does; NaN and infinities are a `ValueError`."""
    write_text_atomically(path, json.dumps(data, indent=indent, allow_nan=False) + "\n")


def set_aside(path: Path) -> Path:
    """Rename a damaged file so that nothing reads it again, and return its new path."""
    for number in range(1, 1000):
        target = path.with_name(f"{path.name}.damaged-{number}")
        if not target.exists():
            os.replace(path, target)
            return target
    raise OSError(f"{path}: too many damaged copies beside it; remove some")
