"""The subject of a kernel ``kernel(output, n_threads)``: how it is launched on either target."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import config, cuda

from mwe.errors import HarnessError
from mwe.workloads.device_arrays import GuardedArray
from mwe.workloads.subject import LaunchShape, Subject

# Threads of a launch behind the active ones: the one with index n_threads exactly, and one more.
N_EARLY_RETURNS = 2
# Compilers explain themselves at length.
MAX_REASON_CHARACTERS = 400


class CompiledSubject(Subject):
    """A subject with a kernel that numba compiles."""

    @abstractmethod
    def make_arguments(self) -> Sequence[Any]:
        """Return host arrays and numbers of the types that the kernel is launched with."""

    def find_signature(self, kernel: Any) -> tuple[Any, ...]:
        """Return the types that a launch on a device has; not for the simulator."""
        return tuple(kernel.typeof_pyval(argument) for argument in self.make_arguments())

    def compile_kernel(self, kernel: Any) -> None:
        """Compile for the device at hand; the simulator compiles nothing.

        Raises
        ------
        HarnessError
            If it does not compile: an old release on a newer toolkit or device, say.
        """
        if config.ENABLE_CUDASIM:
            return
        try:
            kernel.compile(self.find_signature(kernel))
        except Exception as error:
            raise HarnessError(
                f"the kernel does not compile for this device: {describe_compile_error(error)}"
            ) from error


class KernelSubject(CompiledSubject):
    """A subject whose kernel writes into one array, told how many threads are active."""

    @abstractmethod
    def make_output(self) -> Any:
        """Return the array that a launch writes into, on the host, as it is before."""

    def make_arguments(self) -> Sequence[Any]:
        """Return an output and a number of threads."""
        return self.make_output(), self.n_threads

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> Any:
        """Launch one grid that covers the output, wait for it, and return the output."""
        output = self.make_output()
        if not config.ENABLE_CUDASIM:
            return self._launch_on_device(kernel, output, shape)
        kernel[1, self.threads_per_block](output, self.n_threads)
        return output

    def _launch_on_device(self, kernel: Any, output: Any, shape: LaunchShape | None) -> Any:
        if shape is None:
            guarded = GuardedArray(output)
            kernel[1, self.threads_per_block](guarded.array, self.n_threads)
            cuda.synchronize()
            return guarded.read()
        stream: Any = cuda.stream() if shape.uses_own_stream else 0
        guarded = GuardedArray(output, stream)
        n_blocks = shape.find_n_blocks(self.n_threads + N_EARLY_RETURNS)
        kernel[n_blocks, shape.threads_per_block, stream](guarded.array, self.n_threads)
        if shape.uses_own_stream:
            stream.synchronize()
        else:
            cuda.synchronize()
        return guarded.read()


def describe_difference(output: Any, expected: Any) -> str:
    """Return an empty text where two arrays agree, else the first difference in one line."""
    wrong = np.argwhere(output != expected)
    if not wrong.size:
        return ""
    place = tuple(int(each) for each in wrong[0])
    where = ", ".join(map(str, place))
    return (
        f"output[{where}] is {output[place]}, expected {expected[place]} "
        f"({len(wrong)} elements differ)"
    )


def describe_compile_error(error: Exception) -> str:
    """Return the cause that a compiler's error names, in one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    named = [line for line in lines if line and not line.startswith("Failed in ")]
    # Behind the cause numba says where it was at, and repeats the source.
    causes = itertools.takewhile(lambda line: not line.startswith(("During: ", "File ")), named)
    return f"{type(error).__name__}: {' '.join(causes)}"[:MAX_REASON_CHARACTERS]
