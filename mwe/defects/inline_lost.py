"""``inline=True`` is lost, so that device functions cannot return an array of their own."""

from __future__ import annotations

from mwe.defects.defect import Defect, Message, RaisedError, Signature
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Workload

_TARGETS = frozenset({Target.COMPILER})

DEFECT = Defect(
    name="inline-lost",
    summary="`cuda.jit` takes `inline=True` and does not hand it on, so that no device function is "
    "inlined.",
    symptom="A kernel that takes an array from a device function, which has to be inlined for it, "
    'does not compile: "Only accept returning of array passed into the function as argument".',
    signature=Signature(
        modes=frozenset(),
        errors=(
            RaisedError(
                function="launch",
                detail="DoesNotCompileError: TypingError: Only accept returning of array passed "
                "into the function as argument",
            ),
        ),
    ),
    messages=(
        Message(
            pattern="Only accept returning of array passed into the function as argument",
            note="It is this defect where the device function was made with inline=True; others "
            "are refused rightly.",
        ),
    ),
    targets=_TARGETS,
    schedules=("natural",),
    references=(
        "https://github.com/NVIDIA/numba-cuda/pull/181",
        "https://github.com/NVIDIA/numba-cuda/commit/9c727b0c",
    ),
    remedies=(
        "Make the array in the kernel and pass it in, or set "
        '`function.targetoptions["inline"] = "always"` on the device function.',
    ),
    harness_control="returned-argument",
    workloads=(
        Workload(
            name="returned-local-array",
            family="returned_array",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="an inlined device function returns a local array",
        ),
        Workload(
            name="returned-shared-array",
            family="returned_array",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="an inlined device function returns a shared array",
        ),
        Workload(
            name="returned-argument",
            family="returned_array",
            role=Role.NEGATIVE_CONTROL,
            targets=_TARGETS,
            summary="an inlined device function returns the array that it is given",
        ),
        Workload(
            name="returned-without-inline",
            family="returned_array",
            role=Role.POSITIVE_CONTROL,
            targets=_TARGETS,
            summary="a device function returns a local array, and is not to be inlined",
        ),
    ),
)
