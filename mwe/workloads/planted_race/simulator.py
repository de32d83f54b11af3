"""A simulator of threads in a few lines, into which a way of swapping globals is plugged.

`cuda` stands for the real module, which has none of the device's functions; while a device
function runs, its module's globals hold `FakeCuda` instead. How the two are swapped is the whole
question: `swap_on_each_call` is the planted race.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
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


def device(function: Callable[[], Any], swap: Swap) -> Callable[[], Any]:
    """Make a device function: it runs with its module's globals swapped."""

    def call() -> Any:
        with swap(function.__globals__):
            return function()

    return call


def launch(kernel: Callable[..., None], n_threads: int, *arguments: Any) -> None:
    """Run ``kernel(*arguments, i)`` in `n_threads` threads, join them, raise the first error."""
    errors: list[Exception] = []

    def run(i: int) -> None:
        try:
            kernel(*arguments, i)
        except Exception as error:
            errors.append(type(error)(f"tid=[{i}, 0, 0] ctaid=[0, 0, 0]: {error}"))

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
