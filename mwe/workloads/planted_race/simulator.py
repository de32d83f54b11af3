"""A simulator of threads in a few lines, with the race planted: swap and restore on each call.

`cuda` stands for the real module, which has none of the device's functions; while a device
function runs, its module's globals hold `FakeCuda` instead. Nothing guards the swap.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

# The name makes the failure's message that of the real race, so that it takes the same way
# through the classification.
cuda = ModuleType("numba.cuda")


class FakeLocal:
    """Stands for ``cuda.local``."""

    def array(self, size: int) -> list[float]:
        """Return a zeroed buffer of `size` elements."""
        return [0.0] * size


class FakeCuda:
    """Stands for what the simulator puts in the place of ``numba.cuda``."""

    local = FakeLocal()


@contextmanager
def swapped_globals(module_globals: dict[str, Any]) -> Iterator[None]:
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


def device(function: Callable[[], Any]) -> Callable[[], Any]:
    """Make a device function: it runs with its module's globals swapped."""

    def call() -> Any:
        with swapped_globals(function.__globals__):
            return function()

    return call


def launch(kernel: Callable[[int], None], n_threads: int) -> None:
    """Run ``kernel(i)`` in `n_threads` threads at once, join them, raise the first error."""
    errors: list[Exception] = []

    def run(i: int) -> None:
        try:
            kernel(i)
        except Exception as error:
            errors.append(type(error)(f"tid=[{i}, 0, 0] ctaid=[0, 0, 0]: {error}"))

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
