"""Workloads: programs in the shape of the code that suffers from the race, and their controls.

A workload is a package here and one line in `WORKLOADS`. Importing this module imports no numba.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from mwe.errors import BadArgumentError
from mwe.targets import Target
from mwe.workloads.subject import Role, Subject

__all__ = ["DEFAULT_WORKLOAD", "WORKLOADS", "Role", "Subject", "Workload", "find_workload"]


@dataclass(frozen=True, kw_only=True)
class Workload:
    """An entry of the registry.

    Attributes
    ----------
    name
        What the command line and the benchmarks call it.
    role
        Whether it measures upstream or controls the harness.
    factory
        Where its subject comes from, as ``module:function``; the function takes the number of
        active threads that the schedule asks for, or None.
    summary
        One line for ``--list``.
    needs_numba
        Whether it runs upstream code at all.
    targets
        Where it makes sense.
    """

    name: str
    role: Role
    factory: str
    summary: str
    needs_numba: bool = True
    targets: frozenset[Target] = frozenset(Target)

    def load(self, n_threads: int | None = None) -> Subject:
        """Import the workload, and with it numba where it needs it, and return its subject."""
        module, function = self.factory.split(":")
        subject: Subject = getattr(importlib.import_module(module), function)(n_threads)
        return subject


_LOCAL_ARRAY = "mwe.workloads.local_array.subjects"
_SHARED_ARRAY = "mwe.workloads.shared_array.subject"
_REGISTRY = "mwe.workloads.registry.subjects"
_CHUNKED = "mwe.workloads.chunked.subjects"

WORKLOADS: dict[str, Workload] = {
    workload.name: workload
    for workload in (
        Workload(
            name="local-array",
            role=Role.WORKLOAD,
            factory=f"{_LOCAL_ARRAY}:local_array",
            summary="a device function in another module calls cuda.local.array: hits the race",
        ),
        Workload(
            name="shared-array",
            role=Role.WORKLOAD,
            factory=f"{_SHARED_ARRAY}:shared_array",
            summary="the same with cuda.shared.array: hits the race",
        ),
        Workload(
            name="registry-local",
            role=Role.WORKLOAD,
            factory=f"{_REGISTRY}:registry_local",
            summary="a buffer registry whose allocators call cuda.local.array: hits the race",
        ),
        Workload(
            name="registry-shared",
            role=Role.WORKLOAD,
            factory=f"{_REGISTRY}:registry_shared",
            summary="a buffer registry over a helper's cuda.shared.array: hits the race",
        ),
        Workload(
            name="registry-mixed",
            role=Role.WORKLOAD,
            factory=f"{_REGISTRY}:registry_mixed",
            summary="a buffer registry with shared, persistent and local buffers: hits the race",
        ),
        Workload(
            name="chunked-local",
            role=Role.WORKLOAD,
            factory=f"{_CHUNKED}:chunked_local",
            summary="chunked transfers, a kernel with a helper's local array: hits the race",
        ),
        Workload(
            name="same-module",
            role=Role.NEGATIVE_CONTROL,
            factory=f"{_LOCAL_ARRAY}:same_module_control",
            summary="the same with both functions in one module: can never fail",
        ),
        Workload(
            name="helper-without-cuda",
            role=Role.NEGATIVE_CONTROL,
            factory=f"{_LOCAL_ARRAY}:helper_without_cuda",
            summary="a device function in another module touches nothing of cuda: can never fail",
        ),
        Workload(
            name="one-thread",
            role=Role.NEGATIVE_CONTROL,
            factory=f"{_LOCAL_ARRAY}:one_thread",
            summary="local-array with one active thread: can never fail",
        ),
        Workload(
            name="registry-persistent",
            role=Role.NEGATIVE_CONTROL,
            factory=f"{_REGISTRY}:registry_persistent",
            summary="a buffer registry over arrays of the kernel's own: can never fail",
        ),
        Workload(
            name="chunked-plain",
            role=Role.NEGATIVE_CONTROL,
            factory=f"{_CHUNKED}:chunked_plain",
            summary="chunked transfers, a kernel without a helper: can never fail",
        ),
        Workload(
            name="planted-race",
            role=Role.POSITIVE_CONTROL,
            factory="mwe.workloads.planted_race.subject:planted_race",
            summary="a race of our own without upstream code: must fail under delay",
            needs_numba=False,
            targets=frozenset({Target.SIMULATOR}),
        ),
        Workload(
            name="event-query",
            role=Role.WORKLOAD,
            factory="mwe.workloads.event_query.subject:event_query",
            summary="device only: polls Event.query, and believes what it says",
            targets=frozenset({Target.CUDA}),
        ),
        Workload(
            name="planted-overrun",
            role=Role.POSITIVE_CONTROL,
            factory="mwe.workloads.planted_overrun.subject:planted_overrun",
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
