"""Workloads: programs in the shape of the code that suffers from the race, and their controls.

A workload is a function in the module `subjects` of its family, a package here, and an entry of
`WORKLOADS`. Importing this module imports no numba.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from mwe.errors import BadArgumentError
from mwe.targets import Target
from mwe.workloads.subject import N_THREADS, Role, Subject

__all__ = ["DEFAULT_WORKLOAD", "WORKLOADS", "Role", "Subject", "Workload", "find_workload"]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A workload or control by the name that the command line and the benchmarks use."""

    name: str  # with _ for -, also the function that returns its subject
    family: str  # the package here whose module `subjects` has that function
    role: Role
    summary: str  # one line for --list
    needs_numba: bool = True  # whether it runs upstream code at all
    targets: frozenset[Target] = frozenset(Target)  # where it makes sense

    def load(self, n_threads: int | None = None) -> Subject:
        """Import the workload, and with it numba where it needs it, and return its subject.

        Parameters
        ----------
        n_threads
            Active threads that the schedule asks for; None for `N_THREADS`.
        """
        subjects = importlib.import_module(f"{__name__}.{self.family}.subjects")
        make_subject = getattr(subjects, self.name.replace("-", "_"))
        subject: Subject = make_subject(N_THREADS if n_threads is None else n_threads)
        return subject


WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload(
            name="local-array",
            family="local_array",
            role=Role.WORKLOAD,
            summary="a device function in another module calls cuda.local.array: hits the race",
        ),
        Workload(
            name="shared-array",
            family="local_array",
            role=Role.WORKLOAD,
            summary="the same with cuda.shared.array: hits the race",
        ),
        Workload(
            name="registry-local",
            family="registry",
            role=Role.WORKLOAD,
            summary="a buffer registry whose allocators call cuda.local.array: hits the race",
        ),
        Workload(
            name="registry-shared",
            family="registry",
            role=Role.WORKLOAD,
            summary="a buffer registry over a helper's cuda.shared.array: hits the race",
        ),
        Workload(
            name="registry-mixed",
            family="registry",
            role=Role.WORKLOAD,
            summary="a buffer registry with shared, persistent and local buffers: hits the race",
        ),
        Workload(
            name="chunked-local",
            family="chunked",
            role=Role.WORKLOAD,
            summary="chunked transfers, a kernel with a helper's local array: hits the race",
        ),
        Workload(
            name="same-module",
            family="local_array",
            role=Role.NEGATIVE_CONTROL,
            summary="the same with both functions in one module: can never fail",
        ),
        Workload(
            name="helper-without-cuda",
            family="local_array",
            role=Role.NEGATIVE_CONTROL,
            summary="a device function in another module touches nothing of cuda: can never fail",
        ),
        Workload(
            name="one-thread",
            family="local_array",
            role=Role.NEGATIVE_CONTROL,
            summary="local-array with one active thread: can never fail",
        ),
        Workload(
            name="registry-persistent",
            family="registry",
            role=Role.NEGATIVE_CONTROL,
            summary="a buffer registry over arrays of the kernel's own: can never fail",
        ),
        Workload(
            name="chunked-plain",
            family="chunked",
            role=Role.NEGATIVE_CONTROL,
            summary="chunked transfers, a kernel without a helper: can never fail",
        ),
        Workload(
            name="planted-race",
            family="planted_race",
            role=Role.POSITIVE_CONTROL,
            summary="a race of our own without upstream code: must fail under delay",
            needs_numba=False,
            targets=frozenset({Target.SIMULATOR}),
        ),
        Workload(
            name="event-query",
            family="event_query",
            role=Role.WORKLOAD,
            summary="device only: polls Event.query, and believes what it says",
            targets=frozenset({Target.CUDA}),
        ),
        Workload(
            name="planted-overrun",
            family="planted_overrun",
            role=Role.POSITIVE_CONTROL,
            summary="device only: a kernel of our own writes one element too far: must fail",
            targets=frozenset({Target.CUDA}),
        ),
    )
}
DEFAULT_WORKLOAD = "local-array"


def find_workload(name: str) -> Workload:
    """Return the workload of that name.

    Raises
    ------
    BadArgumentError
        If there is none.
    """
    try:
        return WORKLOADS[name]
    except KeyError:
        raise BadArgumentError(
            f"unknown workload {name!r}; choose one of {', '.join(WORKLOADS)}"
        ) from None
