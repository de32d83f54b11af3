"""Control: a device function in a module of its own that touches nothing of cuda at run time."""

from typing import Any

from numba import cuda

__all__ = ["build_fill"]


def build_fill() -> Any:
    """Return the device function ``fill_first(buffer)``, which writes 1.0 to element 0."""

    @cuda.jit(device=True, inline=True)  # type: ignore[untyped-decorator,unused-ignore]
    def fill_first(buffer):  # type: ignore[no-untyped-def]
        buffer[0] = 1.0

    return fill_first
