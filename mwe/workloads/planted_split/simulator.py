"""A block's shared arrays in a few lines, with or without a lock around the look-up."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any


class FakeShared:
    """Stands for ``cuda.shared`` of one block.

    An array is looked up, made if it is not there, and stored. Under a lock all threads get one;
    without, which is what is planted, two that both find nothing get different arrays.
    """

    def __init__(self, lock: AbstractContextManager[Any] | None = None) -> None:
        self._lock = nullcontext() if lock is None else lock
        self._arrays: dict[str, list[float]] = {}

    def array(self, name: str, size: int) -> list[float]:
        """Return the block's array of that name, zeroed when it is new."""
        with self._lock:
            found = self._arrays.get(name)
            if found is None:
                found = [0.0] * size
                self._arrays[name] = found
            return found
