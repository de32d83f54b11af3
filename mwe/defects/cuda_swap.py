"""The race that the tracker began with: threads swap a module's global without a lock."""

from __future__ import annotations

from mwe.defects.defect import Defect, Message, RaisedError, Signature
from mwe.outcomes import FailureMode
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Asker, Workload

_REAL_MODULE = r"module \\?'numba\.cuda\\?' has no attribute \\?'"
# What kernels use of the fake and the real module has not; others are misspelt.
_OF_KERNELS = (
    "atomic|blockDim|blockIdx|brev|cbrt|cg|clz|const|ffs|fma|fp16|grid|gridDim|gridsize|laneid|"
    "local|popc|selp|shared|syncthreads\\w*|threadIdx|threadfence\\w*|warpsize"
)

DEFECT = Defect(
    name="cuda-swap",
    summary="Each device-function call swaps its module's global `cuda` for a fake and puts it "
    "back, without a lock, so that another thread may find the real one.",
    symptom="A correct kernel fails now and then with \"module 'numba.cuda' has no attribute "
    "'local'\".",
    signature=Signature(
        modes=frozenset({FailureMode.MISSING_ATTRIBUTE, FailureMode.LEAKED_GLOBAL}),
        # A device function's first warning adds a global while another thread walks them.
        errors=(
            RaisedError(
                function="swapped_cuda_module",
                detail="RuntimeError: dictionary changed size during iteration",
            ),
        ),
    ),
    messages=(
        # The simulator says which thread failed.
        Message(pattern=rf"tid=\[[\d, ]+\] ctaid=\[[\d, ]+\]: {_REAL_MODULE}"),
        Message(
            pattern=rf"{_REAL_MODULE}(?:{_OF_KERNELS})\\?'",
            note="Where no thread is named (tid=[...]), it may also be a device function that host "
            "code calls.",
        ),
        Message(pattern="dictionary changed size during iteration", function="swapped_cuda_module"),
    ),
    schedules=("delay", "handoff", "explore"),
    recorded_schedules=("natural",),
    references=(
        "https://github.com/NVIDIA/numba-cuda/pull/690",
        "https://github.com/NVIDIA/numba-cuda/commit/d41b90d3",
    ),
    remedies=(
        "Keep device functions that use cuda in the kernel's own module, or allocate in the "
        "kernel and pass the array in.",
    ),
    harness_control="one-thread",
    workloads=(
        Workload(
            name="local-array",
            family="local_array",
            role=Role.WORKLOAD,
            summary="cuda.local.array in a device function of another module",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="local-array-2d",
            family="local_array",
            role=Role.WORKLOAD,
            summary="the same as local-array, in a block of two dimensions",
        ),
        Workload(
            name="local-array-blocks",
            family="local_array",
            role=Role.WORKLOAD,
            summary="the same as local-array, in several blocks",
        ),
        Workload(
            name="shared-array",
            family="local_array",
            role=Role.WORKLOAD,
            summary="cuda.shared.array in a device function of another module",
            explored_whole_by=Asker.JUDGE,
        ),
        Workload(
            name="registry-local",
            family="registry",
            role=Role.WORKLOAD,
            summary="a buffer registry whose allocators call cuda.local.array",
        ),
        Workload(
            name="registry-shared",
            family="registry",
            role=Role.WORKLOAD,
            summary="a buffer registry over a shared array that a helper makes",
        ),
        Workload(
            name="registry-mixed",
            family="registry",
            role=Role.WORKLOAD,
            summary="a buffer registry with shared, persistent and local buffers",
        ),
        Workload(
            name="chunked-local",
            family="chunked",
            role=Role.WORKLOAD,
            summary="chunked transfers, with a helper that calls cuda.local.array",
        ),
        Workload(
            name="event-query",
            family="event_query",
            role=Role.WORKLOAD,
            targets=frozenset({Target.CUDA, Target.COMPILER}),
            summary="polls Event.query, and believes what it says",
        ),
        Workload(
            name="same-module",
            family="local_array",
            role=Role.NEGATIVE_CONTROL,
            summary="keep the device function in the kernel's own module",
        ),
        Workload(
            name="helper-without-cuda",
            family="local_array",
            role=Role.NEGATIVE_CONTROL,
            summary="device functions of other modules use nothing of cuda",
        ),
        Workload(
            name="one-thread",
            family="local_array",
            role=Role.NEGATIVE_CONTROL,
            summary="one active thread",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="no-threads",
            family="local_array",
            role=Role.NEGATIVE_CONTROL,
            summary="no active thread",
        ),
        Workload(
            name="registry-persistent",
            family="registry",
            role=Role.NEGATIVE_CONTROL,
            summary="the kernel makes the arrays, other modules only slice them",
        ),
        Workload(
            name="chunked-plain",
            family="chunked",
            role=Role.NEGATIVE_CONTROL,
            summary="no device function beside the kernel",
        ),
        Workload(
            name="planted-race",
            family="planted_race",
            role=Role.POSITIVE_CONTROL,
            targets=frozenset({Target.SIMULATOR}),
            needs_numba=False,
            summary="a race of our own, without upstream code",
            explored_whole_by=Asker.HISTORY,
        ),
        Workload(
            name="sound-swap",
            family="planted_race",
            role=Role.NEGATIVE_CONTROL,
            targets=frozenset({Target.SIMULATOR}),
            needs_numba=False,
            summary="the race of our own with a count and the restore under one lock",
        ),
        Workload(
            name="planted-overrun",
            family="planted_overrun",
            role=Role.POSITIVE_CONTROL,
            targets=frozenset({Target.CUDA, Target.COMPILER}),
            summary="a kernel of our own that writes one element too far",
        ),
    ),
)
