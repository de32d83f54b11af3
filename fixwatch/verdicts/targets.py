"""The targets that are measured, and how they are named."""

from __future__ import annotations

SIMULATOR = "simulator"
CUDA = "cuda"


def name_place(upstream: str, target: str) -> str:
    """Return an upstream as it is named where both targets are shown."""
    return upstream if target == SIMULATOR else f"{upstream} on a device"
