"""Threads of a block get different shared arrays: the look-up of an array has no lock."""

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
    name="shared-split",
    summary="`cuda.shared.array` looks the block's array up, allocates and stores it without a "
    "lock, so that two threads of a block may get different arrays.",
    symptom="A correct kernel that shares an array between threads returns wrong numbers now and "
    "then, without an error.",
    signature=Signature(modes=frozenset({FailureMode.WRONG_RESULT})),
    schedules=("explore",),
    references=(
        "https://github.com/numba/numba/blob/0.57.1/numba/cuda/simulator/kernelapi.py#L117",
        "https://github.com/NVIDIA/numba-cuda/blob/v0.30.4/numba_cuda/numba/cuda/simulator/"
        "kernelapi.py#L132",
    ),
    remedies=("Run tests whose kernels use shared arrays on a device.",),
    harness_control="shared-split-one-thread",
    workloads=(
        Workload(
            name="shared-split",
            family="shared_split",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="threads read their neighbours' elements of a shared array",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="shared-split-helper",
            family="shared_split",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="the same array, made by a device function of another module",
        ),
        Workload(
            name="shared-split-several",
            family="shared_split",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="threads read their neighbours' elements of two shared arrays",
            explored_whole_by=Asker.JUDGE,
        ),
        Workload(
            name="shared-split-one-thread",
            family="shared_split",
            role=Role.NEGATIVE_CONTROL,
            targets=_TARGETS,
            summary="one active thread with a shared array",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="shared-split-own-element",
            family="shared_split",
            role=Role.NEGATIVE_CONTROL,
            targets=_TARGETS,
            summary="each thread reads its own element of a shared array only",
            explored_whole_by=Asker.JUDGE,
        ),
        Workload(
            name="planted-split",
            family="planted_split",
            role=Role.POSITIVE_CONTROL,
            targets=_SIMULATOR,
            needs_numba=False,
            summary="a look-up of our own without a lock, without upstream code",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="sound-split",
            family="planted_split",
            role=Role.NEGATIVE_CONTROL,
            targets=_SIMULATOR,
            needs_numba=False,
            summary="the look-up of our own under a lock",
            explored_whole_by=Asker.JUDGE,
        ),
    ),
)
