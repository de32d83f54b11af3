"""The device function of the planted race, in a module of its own."""

from __future__ import annotations

from mwe.workloads.planted_race.simulator import cuda

BUFFER_SIZE = 5


def allocate_buffer() -> list[float]:
    """Allocate through the module global that the simulator swaps."""
    buffer: list[float] = cuda.local.array(BUFFER_SIZE)
    return buffer
