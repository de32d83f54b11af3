"""Two host threads launch at once, and one of the launches is taken for a device-function call."""

from __future__ import annotations

from mwe.defects.defect import Defect, Message, Signature
from mwe.outcomes import FailureMode
from mwe.targets import Target
from mwe.workloads.subject import Role
from mwe.workloads.workload import Workload

_SIMULATOR = frozenset({Target.SIMULATOR})

DEFECT = Defect(
    name="host-launch",
    summary="A kernel that is launched while another host thread's launch runs is taken for a "
    "device function of that launch, and runs once, in the thread that launches it.",
    symptom="Two host threads launch at once, and one of the launches writes what a single thread "
    "writes, without an error; or \"'Thread' object has no attribute 'blockIdx'\".",
    # Where the two meet elsewhere, one takes the other's fake of `cuda` away, finds none, or leaves
    # its own behind. That an exception is not any launch's is for the control with one launch after
    # the other to say.
    signature=Signature(
        modes=frozenset(
            {
                FailureMode.WRONG_RESULT,
                FailureMode.EXCEPTION,
                FailureMode.MISSING_ATTRIBUTE,
                FailureMode.LEAKED_GLOBAL,
            }
        )
    ),
    messages=(
        Message(
            pattern=r"'\w*Thread\\?' object has no attribute "
            r"\\?'(?:blockIdx|threadIdx|thread_id|syncthreads\w*)\b"
        ),
        Message(
            pattern="concurrent simulated kernel not supported",
            note="Where this is said, upstream has refused the launch, and no number is wrong.",
        ),
    ),
    # Releases that refuse a launch check and then note that one runs. Two launches may pass between
    # the two, as `delay` and `explore` show. That is a race of its own, which hardly anyone meets.
    schedules=("natural",),
    references=("https://github.com/NVIDIA/numba-cuda/commit/1a137513",),
    remedies=(
        "Hold a lock around each launch, from `kernel[...]` to the end of the call, or launch "
        "from one host thread.",
    ),
    refused="a second launch while another host thread's runs",
    harness_control="host-launch-in-turn",
    workloads=(
        Workload(
            name="host-launch",
            family="host_launch",
            role=Role.WORKLOAD,
            targets=_SIMULATOR,
            summary="two host threads launch a kernel that counts its threads",
        ),
        Workload(
            name="host-launch-index",
            family="host_launch",
            role=Role.WORKLOAD,
            targets=_SIMULATOR,
            summary="two host threads launch a kernel that calls cuda.grid",
        ),
        Workload(
            name="host-launch-in-turn",
            family="host_launch",
            role=Role.NEGATIVE_CONTROL,
            targets=_SIMULATOR,
            summary="one host thread launches after the other",
        ),
        Workload(
            name="host-launch-locked",
            family="host_launch",
            role=Role.NEGATIVE_CONTROL,
            targets=_SIMULATOR,
            summary="two host threads launch, each with a lock held",
        ),
        Workload(
            name="planted-host-launch",
            family="planted_host_launch",
            role=Role.POSITIVE_CONTROL,
            targets=_SIMULATOR,
            needs_numba=False,
            summary="two launches of a simulator of our own, without upstream code",
        ),
        Workload(
            name="sound-host-launch",
            family="planted_host_launch",
            role=Role.NEGATIVE_CONTROL,
            targets=_SIMULATOR,
            needs_numba=False,
            summary="the same with a lock in that simulator's launch",
        ),
    ),
)
