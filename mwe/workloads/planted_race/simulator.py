"""A simulator of threads in a few lines, into which a way of swapping globals is plugged.

`cuda` stands for the real module, which has none of the device's functions; while a device
function runs, its module's globals hold `FakeCuda` instead. How the two are swapped is the whole
question: `swap_on_each_call` is the planted race, `CountedSwap` its sound twin.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import ModuleType
from typing import Any

# The name makes the failure's message that of the real race, so that it takes the same way
# through the classification.
cuda = ModuleType("numba.cuda")

Globals = dict[str, Any]
Swap = Callable[[Globals], AbstractContextManager[None]]


class FakeLocal:
    """Stands for ``cuda.local``."""

    def array(self, size: int) -> list[float]:
        """Return a zeroed buffer of `size` elements."""
        return [0.0] * size


class FakeCuda:
    """Stands for what the simulator puts in the place of ``numba.cuda``."""

    local = FakeLocal()


@contextmanager
def swap_on_each_call(module_globals: Globals) -> Any:
    """Replace each global that is `cuda` by the fake, and put it back: the planted race.

    A second thread that arrives meanwhile finds nothing to swap, and loses the fake as soon as
    the first one leaves.
    """
    names = [name for name, value in module_globals.items() if value is cuda]
    fake = FakeCuda()
    for name in names:
        module_globals[name] = fake
    try:
        yield
    finally:
        for name in names:
            module_globals[name] = cuda


def swap_globals(module_globals: Globals) -> list[str]:
    """Replace each global that is `cuda` by a fake, and return their names."""
    names = [name for name, value in module_globals.items() if value is cuda]
    for name in names:
        module_globals[name] = FakeCuda()
    return names


def restore_globals(module_globals: Globals, names: Sequence[str]) -> None:
    """Put `cuda` back."""
    for name in names:
        module_globals[name] = cuda


class CountedSwap:
    """Swap for the first thread inside, restore behind the last, all of it under one lock: sound.

    The globals are those of one module.
    """

    def __init__(self) -> None:
        self.count = 0  # threads inside
        self.names: list[str] = []
        self.lock = threading.Lock()

    def enter(self, module_globals: Globals) -> None:
        """Swap for the first thread."""
        if self.count == 0:
            self.names = swap_globals(module_globals)
        self.count += 1

    def leave(self, module_globals: Globals) -> None:
        """Restore for the last thread."""
        self.count -= 1
        if self.count == 0:
            restore_globals(module_globals, self.names)

    @contextmanager
    def __call__(self, module_globals: Globals) -> Iterator[None]:
        """Lock the swap and the restore."""
        with self.lock:
            self.enter(module_globals)
        try:
            yield
        finally:
            with self.lock:
                self.leave(module_globals)


def device(function: Callable[[], Any], swap: Swap) -> Callable[[], Any]:
    """Make a device function: it runs with its module's globals swapped."""

    def call() -> Any:
        with swap(function.__globals__):
            return function()

    return call
