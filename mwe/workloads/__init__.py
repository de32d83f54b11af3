"""Workloads: programs in the shape of the code that suffers from the race, and their controls.

A workload is a function in the module `subjects` of its family, a package here, and an entry of
`workloads.json`. Importing this module imports no numba.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mwe.errors import choose
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

        `n_threads` are active, as the schedule asks for; `N_THREADS` if it asks for none.
        """
        subjects = importlib.import_module(f"{__name__}.{self.family}.subjects")
        make_subject = getattr(subjects, self.name.replace("-", "_"))
        subject: Subject = make_subject(N_THREADS if n_threads is None else n_threads)
        return subject


def _read_workload(entry: dict[str, Any]) -> Workload:
    targets = frozenset(map(Target, entry.pop("targets", Target)))
    return Workload(role=Role(entry.pop("role")), targets=targets, **entry)


_ENTRIES = json.loads(Path(__file__).with_name("workloads.json").read_text(encoding="utf-8"))
WORKLOADS = {entry["name"]: _read_workload(entry) for entry in _ENTRIES}
DEFAULT_WORKLOAD = "local-array"


def find_workload(name: str) -> Workload:
    """Return the workload of that name; see `mwe.errors.choose`."""
    return choose("workload", name, WORKLOADS)
