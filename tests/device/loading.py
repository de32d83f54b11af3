"""Loading subjects where numba must not be imported before the target is set: in workers."""

from __future__ import annotations

import sys

from mwe.defects import WORKLOADS
from mwe.runner import iter_trials
from mwe.schedules import Natural
from mwe.targets import Target, prepare_target
from mwe.toolkit import offer_toolkit
from mwe.workloads.subject import Subject

# In each process, from 1.
BAD_LAUNCH = 3


def load(name: str) -> Subject:
    """Return a workload for the device, or a subject with a planted fault by the fault's name."""
    prepare_target(Target.CUDA)
    if name in WORKLOADS:
        return WORKLOADS[name].load()
    from tests.device.subjects import FaultySubject

    return FaultySubject(name)


def run_here(name: str, n_trials: int) -> int:
    """Run trials in this process, as a sanitizer wants them; return how many failed."""
    numbers = range(1, n_trials + 1)
    with offer_toolkit(Target.CUDA):
        trials = iter_trials(load(name), Natural(), 1, numbers, fresh_period=n_trials)
        return sum(trial.outcome.failed for trial in trials)


if __name__ == "__main__":
    print(f"{run_here(sys.argv[1], int(sys.argv[2]))} trials failed")
