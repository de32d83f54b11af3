"""A workload or control as it is named and planned, before anything of it is imported."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from enum import IntEnum

from mwe.targets import Target
from mwe.workloads.subject import Role, Subject


class Asker(IntEnum):
    """Who asks for the batches of a plan: the later, the more is explored."""

    HISTORY = 1
    JUDGE = 2
    THOROUGH_JUDGE = 3


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A workload or control by the name that the command line and the benchmarks use."""

    name: str  # with _ for -, also the function that returns its subject
    family: str  # the package in `mwe.workloads` whose module `subjects` has that function
    role: Role
    summary: str  # what it does, in a library developer's words
    needs_numba: bool = True  # whether it runs upstream code at all
    targets: frozenset[Target] = frozenset(Target)  # where it makes sense
    # Who has its interleavings run to the end; a judge before that runs a part of them, and a
    # history none.
    explored_whole_by: Asker = Asker.THOROUGH_JUDGE

    def load(self, n_threads: int | None = None) -> Subject:
        """Import the workload, and with it numba where it needs it, and return its subject.

        `n_threads` are active, as the schedule asks for; None leaves it to the workload.
        """
        subjects = importlib.import_module(f"mwe.workloads.{self.family}.subjects")
        make_subject = getattr(subjects, self.name.replace("-", "_"))
        subject: Subject = make_subject() if n_threads is None else make_subject(n_threads)
        return subject
