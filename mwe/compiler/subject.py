"""The subject whose trial is a compilation, so that compilers are judged like launches."""

from __future__ import annotations

from typing import Any

from mwe.compiler.compilation import (
    DEFAULT_COMPUTE_CAPABILITY,
    check_compiler,
    compile_to_ptx,
    parse_compute_capability,
)
from mwe.errors import HarnessError
from mwe.workloads.kernel_subject import CompiledSubject, describe_compile_error
from mwe.workloads.subject import LaunchShape, Subject
from mwe.workloads.workload import Workload

COMPUTE_CAPABILITY = parse_compute_capability(DEFAULT_COMPUTE_CAPABILITY)


class DoesNotCompileError(Exception):
    """Upstream refuses to compile a kernel; the text is the cause that it names, in one line."""


class PtxSubject(Subject):
    """The kernel of another subject, compiled instead of launched."""

    def __init__(self, subject: CompiledSubject) -> None:
        self._subject = subject
        self.n_threads = subject.n_threads
        self.threads_per_block = subject.threads_per_block
        self.guarded_globals = subject.guarded_globals
        self.user_files = subject.user_files

    def build_kernel(self) -> Any:
        """Build the subject's kernel from fresh factories."""
        return self._subject.build_kernel()

    def compile_kernel(self, kernel: Any) -> None:
        """Check that the compiler works, so that what fails behind this is the kernel's.

        A compiler that is missing is a `MissingPartError`.
        """
        del kernel
        check_compiler(COMPUTE_CAPABILITY)

    def launch(self, kernel: Any, shape: LaunchShape | None = None) -> str:
        """Compile for a device that need not be there, and return the PTX.

        Raises
        ------
        DoesNotCompileError
            With what upstream says of it.
        """
        del shape
        signature = self._subject.find_signature(kernel)
        try:
            return compile_to_ptx(kernel.py_func, signature, COMPUTE_CAPABILITY)
        except Exception as error:
            raise DoesNotCompileError(describe_compile_error(error)) from error

    def describe_mismatch(self, output: str) -> str:
        """Judge the PTX; a kernel that cannot be followed is a `HarnessError`."""
        major, minor = COMPUTE_CAPABILITY
        return self._subject.describe_ptx_fault(output, f"sm_{major}{minor}")


def load_ptx_subject(workload: Workload) -> Subject:
    """Return the subject of a workload's compilation; the target has to be imported before.

    A workload that has no kernel is a `HarnessError`.
    """
    # The parent of the workers keeps what the first compilation has loaded.
    check_compiler(COMPUTE_CAPABILITY)
    subject = workload.load()
    if not isinstance(subject, CompiledSubject):
        raise HarnessError(f"{workload.name} has no kernel that numba compiles")
    return PtxSubject(subject)
