"""What the runner needs to know of a workload: its subject, which is built, launched and judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any


class Role(str, Enum):
    """What a workload is for."""

    WORKLOAD = "workload"
    POSITIVE_CONTROL = "positive-control"
    NEGATIVE_CONTROL = "negative-control"


@dataclass(frozen=True)
class GuardedGlobal:
    """A module global that must be the same object before and after a trial."""

    module: ModuleType
    name: str
    original: Any

    def is_leaked(self) -> bool:
        """Whether something else stands in its place."""
        return getattr(self.module, self.name, None) is not self.original

    def restore(self) -> None:
        """Put the original back, so that a leak does not mask the failures of later trials."""
        setattr(self.module, self.name, self.original)


class Subject(ABC):
    """The program of a workload, with its oracle.

    Attributes
    ----------
    n_threads
        Active threads of a launch; those with an index from here on return early.
    threads_per_block
        Threads of a block; launches are one-dimensional.
    guarded_globals
        Module globals that the simulator swaps and must put back.
    user_files
        Files of the kernel and of the device functions that it calls, the user's own code.
    """

    n_threads: int
    threads_per_block: int
    guarded_globals: Sequence[GuardedGlobal]
    user_files: Collection[str]

    @abstractmethod
    def build_kernel(self) -> Any:
        """Build a kernel from fresh factories."""

    @abstractmethod
    def launch(self, kernel: Any) -> Any:
        """Launch the kernel once, wait for it, and return its output.

        Whatever the launch raises passes through: it is the trial's outcome.
        """

    @abstractmethod
    def describe_mismatch(self, output: Any) -> str:
        """Judge an output: an empty text if it is right, else what differs in one line."""
