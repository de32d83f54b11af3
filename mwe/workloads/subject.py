"""What the runner needs to know of a workload: its subject, which is built, launched and judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum
from math import prod
from types import ModuleType
from typing import Any, NamedTuple

# Active threads of a launch where neither the schedule nor the family asks for another number.
# Failing needs two that overlap, of which twelve have more than the local array's seven.
N_THREADS = 12
# Threads of a launch behind the active ones: the one with index n_threads exactly, and one more.
# That no thread fails which should have returned is for the local array to show, where 25 do.
N_EARLY_RETURNS = 2

Dimensions = tuple[int, int, int]  # along x, y and z


class LaunchRefusedError(Exception):
    """Upstream refused a launch, with an error that says so: a documented limit, no failure."""


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


class Grid(NamedTuple):
    """The blocks of a launch and the threads of each."""

    blocks: Dimensions
    threads: Dimensions

    def find_index(self, thread: Dimensions, block: Dimensions) -> int:
        """Return the index of a thread among all of the launch, from its place and its block's.

        The blocks stand one behind the other; in both, x varies fastest and z slowest.

        Source: CUDA C++ Programming Guide, 2.2, "Thread Hierarchy".
        """
        return _flatten(block, self.blocks) * prod(self.threads) + _flatten(thread, self.threads)


def _flatten(place: Dimensions, sizes: Dimensions) -> int:
    x, y, z = place
    return x + sizes[0] * (y + sizes[1] * z)


@dataclass(frozen=True, kw_only=True)
class LaunchShape:
    """How one launch of a trial is put on a device, where a schedule decides that.

    There are as many blocks as the workload's threads need, and extra ones whose threads all
    return early. The launch has a stream of its own, or the default one.
    """

    threads_per_block: int
    n_extra_blocks: int
    uses_own_stream: bool

    def find_n_blocks(self, n_threads: int) -> int:
        """Return the blocks of a launch with at least `n_threads` threads."""
        return -(-n_threads // self.threads_per_block) + self.n_extra_blocks


@dataclass(frozen=True)
class GuardedOutput:
    """An output that lay between guard elements, and which of those was written, in one line."""

    content: Any
    damage: str


class Subject(ABC):
    """The program of a workload, with its oracle."""

    n_threads: int  # active ones of a launch; those with an index from here on return early
    threads_per_block: int
    n_blocks: int = 1  # in a row
    guarded_globals: Sequence[GuardedGlobal]  # which the simulator swaps and must put back
    user_files: Collection[str]  # of the kernel and its device functions, the user's own code

    def lay_out_block(self, n_threads: int) -> Dimensions:
        """Return the dimensions of a block of so many threads: a row."""
        return n_threads, 1, 1

    def find_grid(self, shape: LaunchShape | None = None) -> Grid:
        """Return the blocks and threads of a launch, without a shape in the workload's own way."""
        if shape is None:
            return Grid((self.n_blocks, 1, 1), self.lay_out_block(self.threads_per_block))
        n_blocks = shape.find_n_blocks(self.n_blocks * self.threads_per_block)
        return Grid((n_blocks, 1, 1), self.lay_out_block(shape.threads_per_block))

    @abstractmethod
    def build_kernel(self) -> Any:
        """Build a kernel from fresh factories."""

    def compile_kernel(self, kernel: Any) -> None:
        """Compile what a launch would compile first, outside of the trial.

        Nothing is compiled in the simulator, or where there is no upstream code.
        """
        del kernel

    @abstractmethod
    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> Any:
        """Launch the kernel once, wait for it, and return its output.

        Whatever the launch raises passes through: it is the trial's outcome. A
        `LaunchRefusedError` is none that counts as a failure.

        Parameters
        ----------
        kernel
            As `build_kernel` returns it.
        shape
            How it is put on a device; None for the workload's own way. With a shape it may be
            called in several threads at once.
        """

    @abstractmethod
    def describe_mismatch(self, output: Any) -> str:
        """Judge an output: an empty text if it is right, else what differs in one line."""

    def judge(self, output: Any) -> str:
        """Judge what a launch returned, with its guards where it had any, as above."""
        if isinstance(output, GuardedOutput):
            return output.damage or self.describe_mismatch(output.content)
        return self.describe_mismatch(output)
