"""Defects of upstream's simulator and compiler: what is looked for, each in a module, and by what.

A defect is added as a module here, a line in `DEFECTS`, and packages of `mwe.workloads` for its
workloads and controls. Importing this package imports no numba.
"""

from __future__ import annotations

from mwe.defects import (
    captured_array,
    cuda_swap,
    host_launch,
    inline_lost,
    mixed_atomics,
    shared_split,
)
from mwe.defects.defect import ANY_FAILURE, Defect, Signature
from mwe.errors import choose
from mwe.workloads.workload import Workload

__all__ = [
    "ANY_FAILURE",
    "DEFAULT_WORKLOAD",
    "DEFAULT_WORKLOADS",
    "DEFECTS",
    "WORKLOADS",
    "Defect",
    "Signature",
    "find_defect",
    "find_workload",
]

DEFECTS = {
    defect.name: defect
    for defect in (
        cuda_swap.DEFECT,
        shared_split.DEFECT,
        mixed_atomics.DEFECT,
        host_launch.DEFECT,
        inline_lost.DEFECT,
        captured_array.DEFECT,
    )
}
WORKLOADS = {
    workload.name: workload for defect in DEFECTS.values() for workload in defect.workloads
}
# The workload of each defect that stands for it.
DEFAULT_WORKLOADS = frozenset(defect.default_workload.name for defect in DEFECTS.values())
DEFAULT_WORKLOAD = cuda_swap.DEFECT.default_workload.name
_DEFECTS_BY_WORKLOAD = {
    workload.name: defect for defect in DEFECTS.values() for workload in defect.workloads
}


def find_workload(name: str) -> Workload:
    """Return the workload of that name; see `mwe.errors.choose`."""
    return choose("workload", name, WORKLOADS)


def find_defect(workload: str) -> Defect:
    """Return the defect that a workload is for; see `mwe.errors.choose`."""
    return choose("workload", workload, _DEFECTS_BY_WORKLOAD)
