"""The targets that are measured, and how they are named."""

from __future__ import annotations

SIMULATOR = "simulator"
COMPILER = "compiler"
CUDA = "cuda"

_ORDER = (SIMULATOR, COMPILER, CUDA)
_PLACES = {COMPILER: " compiled for a device", CUDA: " on a device"}


def name_place(upstream: str, target: str) -> str:
    """Return an upstream as it is named where several targets are shown."""
    return f"{upstream}{_PLACES.get(target, '')}"


def rank_target(target: str) -> int:
    """Return a target's place where several are shown: the simulator first, a device last."""
    return _ORDER.index(target) if target in _ORDER else len(_ORDER)
