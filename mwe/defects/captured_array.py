"""A captured array that is a view is read by its strides, beside the constant made of it."""

from __future__ import annotations

from mwe.defects.defect import Defect, Signature
from mwe.outcomes import FailureMode
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Workload

_COMPILED = frozenset({Target.COMPILER})
_TARGETS = _COMPILED | {Target.CUDA}

DEFECT = Defect(
    name="captured-reversed-array",
    summary="An array that a kernel captures becomes a constant with its elements in the order of "
    "the view, but is read with the strides of the view: with a negative one in front of the "
    "constant.",
    symptom="A kernel that captures a reversed array, `np.array([1, 2, 3])[::-1]` say, gets wrong "
    "numbers on a device, without an error.",
    signature=Signature(modes=frozenset({FailureMode.WRONG_RESULT})),
    targets=_TARGETS,
    schedules=("natural",),
    references=(
        "https://github.com/NVIDIA/numba-cuda/pull/589",
        "https://github.com/NVIDIA/numba-cuda/commit/5389798f",
    ),
    remedies=("Capture a copy, `np.ascontiguousarray(values)`, instead of a view.",),
    harness_control="captured-array",
    workloads=(
        Workload(
            name="captured-reversed-array",
            family="captured_array",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="a kernel captures a reversed array",
        ),
        Workload(
            name="captured-strided-array",
            family="captured_array",
            role=Role.WORKLOAD,
            targets=_TARGETS,
            summary="a kernel captures every second element of an array",
        ),
        Workload(
            name="captured-array",
            family="captured_array",
            role=Role.NEGATIVE_CONTROL,
            targets=_TARGETS,
            summary="a kernel captures a copy of the reversed array",
        ),
        Workload(
            name="planted-ptx",
            family="planted_ptx",
            role=Role.POSITIVE_CONTROL,
            targets=_COMPILED,
            summary="a kernel of our own with its PTX damaged in each way that is judged",
        ),
        Workload(
            name="sound-ptx",
            family="planted_ptx",
            role=Role.NEGATIVE_CONTROL,
            targets=_COMPILED,
            summary="the kernel of our own as it was compiled",
        ),
    ),
)
