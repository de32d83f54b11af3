"""Atomics in a few lines, whose kinds have one lock or a lock each."""

from __future__ import annotations

import threading


class FakeAtomic:
    """Stands for ``cuda.atomic``.

    Two kinds under locks of their own, which is what is planted, lose updates of one element to
    each other; under one lock they do not.
    """

    def __init__(self, add_lock: threading.Lock, sub_lock: threading.Lock) -> None:
        self._add_lock = add_lock
        self._sub_lock = sub_lock

    def add(self, array: list[float], index: int, value: float) -> None:
        """Add to an element."""
        with self._add_lock:
            array[index] += value

    def sub(self, array: list[float], index: int, value: float) -> None:
        """Subtract from an element."""
        with self._sub_lock:
            array[index] -= value
