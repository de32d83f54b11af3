"""A block of threads without upstream code: what planted twins, wrong and sound, have in common."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Sequence
from typing import Any

from mwe.workloads.subject import N_EARLY_RETURNS, GuardedGlobal, LaunchShape, Subject

# Of one block, for the threads' indices.
Kernel = Callable[[list[float], int], None]
OpenBlock = Callable[[], Kernel]


class PlantedSubject(Subject):
    """Threads of our own turn zeros into what is expected; those from `n_threads` on do nothing.

    Parameters
    ----------
    open_block
        Returns ``kernel(output, i)`` with all that the threads of one launch share.
    n_threads
        Active threads.
    expected
        The output of a launch that is right.
    user_files
        Of the kernel and its device functions.
    """

    guarded_globals: Sequence[GuardedGlobal] = ()

    def __init__(
        self,
        open_block: OpenBlock,
        n_threads: int,
        expected: Sequence[float],
        user_files: Collection[str],
    ) -> None:
        self._open_block = open_block
        self.n_threads = n_threads
        self.threads_per_block = n_threads + N_EARLY_RETURNS
        self._expected = list(expected)
        self.user_files = frozenset(user_files)

    def build_kernel(self) -> OpenBlock:
        """Return what opens a block; a launch has one."""
        return self._open_block

    def launch(self, kernel: OpenBlock, shape: LaunchShape | None = None) -> list[float]:
        """Launch one block, wait for it, and return the output; it knows no other shape."""
        del shape
        output = [0.0] * len(self._expected)
        run_threads(kernel(), self.threads_per_block, output)
        return output

    def describe_mismatch(self, output: list[float]) -> str:
        """Compare with what is expected."""
        return "" if output == self._expected else f"output is {output}, expected {self._expected}"


def run_threads(kernel: Callable[..., None], n_threads: int, *arguments: Any) -> None:
    """Run ``kernel(*arguments, i)`` in `n_threads` threads, join them, raise the first error."""
    errors: list[Exception] = []

    def run(i: int) -> None:
        try:
            kernel(*arguments, i)
        except Exception as error:
            errors.append(type(error)(f"tid=[{i}, 0, 0] ctaid=[0, 0, 0]: {error}"))

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
