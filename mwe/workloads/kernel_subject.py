"""The subject of a kernel ``kernel(output, n_threads)``: how it is launched on either target."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
from numba import config, cuda

from mwe.compiler.judgement import Expectation, Footprint, describe_fault
from mwe.errors import HarnessError
from mwe.workloads.device_arrays import GuardedArray
from mwe.workloads.subject import N_EARLY_RETURNS, GuardedGlobal, LaunchShape, Subject

# Compilers explain themselves at length.
MAX_REASON_CHARACTERS = 400


class CompiledSubject(Subject):
    """A subject with a kernel that numba compiles.

    Parameters
    ----------
    build
        Builds the kernel from fresh factories.
    modules
        The modules of the kernel and of its helpers, whose global `cuda` the simulator swaps.
    n_threads
        Active threads.
    """

    def __init__(
        self, build: Callable[..., Any], modules: Sequence[ModuleType], n_threads: int
    ) -> None:
        self._build = build
        self.n_threads = n_threads
        self.threads_per_block = n_threads + N_EARLY_RETURNS
        self.user_files = frozenset(str(module.__file__) for module in modules)
        self.guarded_globals = [GuardedGlobal(module, "cuda", cuda) for module in modules]

    def build_kernel(self) -> Any:
        """Build a kernel from fresh factories."""
        return self._build()

    @abstractmethod
    def make_arguments(self) -> Sequence[Any]:
        """Return host arrays and numbers of the types that the kernel is launched with."""

    def make_followed_arguments(self) -> Sequence[Any]:
        """Return the arguments of the launch that is followed in the PTX: those of a launch."""
        return self.make_arguments()

    def find_footprint(self) -> Footprint:
        """Return the local and shared arrays that the kernel asks for; none by default."""
        return Footprint()

    def describe_ptx_fault(self, text: str, target: str) -> str:
        """Return what is wrong with the kernel's PTX for a target; see `describe_fault`."""
        expected = Expectation(
            target=target,
            footprint=self.find_footprint(),
            arguments=self.make_followed_arguments(),
            grid=self.find_grid(),
        )
        return describe_fault(text, expected)

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
    """A subject whose kernel turns one array of zeros into what is expected."""

    def __init__(
        self,
        build: Callable[..., Any],
        modules: Sequence[ModuleType],
        n_threads: int,
        expected: Any,
        footprint: Footprint = Footprint(),  # noqa: B008 (frozen)
    ) -> None:
        super().__init__(build, modules, n_threads)
        self._expected = expected
        self._footprint = footprint

    def find_footprint(self) -> Footprint:
        """Return what the family says of its kernel."""
        return self._footprint

    def make_output(self) -> Any:
        """Return the array that a launch writes into, on the host, as it is before."""
        return np.zeros_like(self._expected)

    def make_arguments(self) -> Sequence[Any]:
        """Return an output and a number of threads."""
        return self.make_output(), self.n_threads

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> Any:
        """Launch one grid that covers the output, wait for it, and return the output."""
        output = self.make_output()
        n_blocks, threads_per_block = self.find_grid(shape)
        if config.ENABLE_CUDASIM:
            kernel[n_blocks, threads_per_block](output, self.n_threads)
            return output
        uses_own_stream = shape is not None and shape.uses_own_stream
        stream: Any = cuda.stream() if uses_own_stream else 0
        guarded = GuardedArray(output, stream)
        kernel[n_blocks, threads_per_block, stream](guarded.array, self.n_threads)
        if uses_own_stream:
            stream.synchronize()
        else:
            cuda.synchronize()
        return guarded.read()

    def describe_mismatch(self, output: Any) -> str:
        """Compare with what is expected."""
        return describe_difference(output, self._expected)


def describe_difference(output: Any, expected: Any) -> str:
    """Return an empty text where two arrays agree, else the first difference in one line."""
    wrong = np.argwhere(output != expected)
    if not wrong.size:
        return ""
    place = tuple(int(index) for index in wrong[0])
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
