"""Files that are written whole or not at all, and damaged ones set aside."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def write_text_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader, or a kill at any moment, finds the old or the new one whole.

    Creates the folder if it is missing. On an error (a full disk, say) the old file stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


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
