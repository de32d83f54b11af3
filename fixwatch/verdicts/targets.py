"""The targets that are measured, and how they are named."""

from __future__ import annotations

from fixwatch.records.evidence import EXPLORE
from fixwatch.statistics.noisy_counts import TrialKind

SIMULATOR = "simulator"
COMPILER = "compiler"
CUDA = "cuda"

_ORDER = (SIMULATOR, COMPILER, CUDA)
_PLACES = {COMPILER: " compiled for a device", CUDA: " on a device"}


def name_place(upstream: str, target: str) -> str:
    """Return an upstream as it is named where several targets are shown."""
    return f"{upstream}{_PLACES.get(target, '')}"


def find_trial_kind(target: str, schedule: str) -> TrialKind:
    """Return what one trial on a target under a schedule says.

    A compiler makes the same of a kernel each time, and its output is judged whole.
    """
    if target == COMPILER:
        return TrialKind.DECISIVE
    return TrialKind.EXPLORED if schedule == EXPLORE else TrialKind.SAMPLED


def rank_target(target: str) -> int:
    """Return a target's place where several are shown: the simulator first, a device last."""
    return _ORDER.index(target) if target in _ORDER else len(_ORDER)
