"""Atomics of different kinds lose each other's updates: each kind has a lock of its own."""

from __future__ import annotations

from mwe.defects.defect import Defect, Signature
from mwe.outcomes import FailureMode
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Asker, Workload

_SIMULATOR = frozenset({Target.SIMULATOR})
# On a device nothing looks for it yet.
_TARGETS = _SIMULATOR | {Target.COMPILER}

DEFECT = Defect(
    name="mixed-atomics",
    summary="`cuda.atomic.add`, `sub`, `max` and the other kinds each hold a lock of their own, so "
    "that two kinds on one element are not atomic to each other.",
    symptom="A correct kernel that changes an element by atomics of different kinds returns wrong "
    "numbers now and then, without an error.",
    signature=Signature(modes=frozenset({FailureMode.WRONG_RESULT})),
    schedules=("explore",),
    references=(
        "https://github.com/numba/numba/blob/0.57.1/numba/cuda/simulator/kernelapi.py#L124",
        "https://github.com/NVIDIA/numba-cuda/blob/v0.30.4/numba_cuda/numba/cuda/simulator/"
        "kernelapi.py#L139",
    ),
    remedies=(
        "Change an element by atomics of one kind only, for example by adding a negative number "
        "instead of subtracting.",
    ),
    harness_control="atomics-one-thread",
    workloads=(
        Workload(
            name="atomics-add-sub",
            family="mixed_atomics",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="cuda.atomic.add and sub on one element",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="atomics-add-max",
            family="mixed_atomics",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="cuda.atomic.add and max on one element",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="atomics-add-inc",
            family="mixed_atomics",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="cuda.atomic.add and inc on one element",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="atomics-one-kind",
            family="mixed_atomics",
            role=Role.NEGATIVE_CONTROL,
            targets=_TARGETS,
            summary="cuda.atomic.add alone on one element",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="atomics-one-thread",
            family="mixed_atomics",
            role=Role.NEGATIVE_CONTROL,
            targets=_TARGETS,
            summary="one active thread with cuda.atomic.add",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="atomics-different-elements",
            family="mixed_atomics",
            role=Role.NEGATIVE_CONTROL,
            targets=_TARGETS,
            summary="cuda.atomic.add and sub on an element each",
            explored_whole_by=Asker.JUDGE,
        ),
        Workload(
            name="planted-atomics",
            family="planted_atomics",
            role=Role.POSITIVE_CONTROL,
            targets=_SIMULATOR,
            needs_numba=False,
            summary="two kinds of our own with a lock each, without upstream code",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="sound-atomics",
            family="planted_atomics",
            role=Role.NEGATIVE_CONTROL,
            targets=_SIMULATOR,
            needs_numba=False,
            summary="the two kinds of our own under one lock",
            explored_whole_by=Asker.JUDGE,
        ),
    ),
)
