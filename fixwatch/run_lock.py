"""One run at a time on a results folder.

A run that was killed may leave a resolver, an installer or a compiler behind that still writes
into the environment. They inherit the lock, so the next run waits for them too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import IO

import portalocker

from fixwatch.errors import FixwatchError

LOCK_NAME = ".lock"
POLL_PERIOD_S = 0.2

_held: dict[Path, IO[str]] = {}


def hold_lock(results_dir: Path, announce: Callable[[str], None]) -> None:
    """Take the lock of a results folder until this process and what it started end.

    The folder is created if it is missing. If there is a holder to wait for, it is announced once.
    """
    path = (results_dir / LOCK_NAME).absolute()
    if path in _held:
        return
    try:
        results_dir.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise FixwatchError(
            f"{path}: cannot be written ({error.strerror}); make the folder writable"
        ) from error
    has_announced = False
    while True:
        try:
            portalocker.lock(
                file, portalocker.LockFlags.EXCLUSIVE | portalocker.LockFlags.NON_BLOCKING
            )
            break
        except portalocker.AlreadyLocked:
            if not has_announced:
                has_announced = True
                announce(f"waiting for {_read_holder(path)}, which measures into {results_dir}")
            time.sleep(POLL_PERIOD_S)
        except portalocker.LockException as error:
            raise FixwatchError(
                f"{path}: cannot be locked ({error}); put the results on a disk that has locks"
            ) from error
    moment = datetime.now(timezone.utc).isoformat(timespec="seconds")
    try:
        file.truncate(0)
        # Past the buffer, which would be tried again at the end.
        os.write(file.fileno(), f"process {os.getpid()} (since {moment})\n".encode())
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    _held[path] = file


def wait_for_lock(results_dir: Path, announce: Callable[[str], None]) -> None:
    """Wait until no other process holds the lock of a results folder, as `hold_lock` does."""
    hold_lock(results_dir, announce)
    _held.pop((results_dir / LOCK_NAME).absolute()).close()


def inherited_descriptors() -> tuple[int, ...]:
    """Return what a process has to inherit to keep the locks of this one."""
    return tuple(file.fileno() for file in _held.values()) if os.name == "posix" else ()


def _read_holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip() or "another run"
    except OSError:
        return "another run"
