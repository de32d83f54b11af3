"""Compile the kernels of workloads to PTX, which needs the compilers but neither driver nor device.

PTX is the compiler's output, an assembly language for devices; the driver, or the linker of the
toolkit, makes machine code of it.
"""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from mwe.compiler.ptx import Ptx
from mwe.device import MissingPart, MissingPartError
from mwe.errors import BadArgumentError, HarnessError
from mwe.targets import Target, import_target
from mwe.toolkit import offer_toolkit
from mwe.workloads.workload import Workload

# Known to every toolkit since 11.8, and the device generation that most GPU machines for rent have.
DEFAULT_COMPUTE_CAPABILITY = "9.0"

ComputeCapability = tuple[int, int]

# What Python raises where code asks another module for something that it does not have, or not in
# that form. Where a part of the toolkit is missing, upstream raises others, ImportError among them.
_UNFIT = (AttributeError, NameError, TypeError)


@dataclass(frozen=True, kw_only=True)
class CompiledKernel:
    """What became of the kernel of a workload."""

    workload: str
    ptx: str = ""  # the compiler's output; empty where it refused
    reason: str = ""  # why it refused, in one line

    @property
    def target(self) -> str:
        """The generation that the output is for, such as ``sm_90``; empty where there is none."""
        return Ptx(self.ptx).target

    @property
    def is_complete(self) -> bool:
        """Whether the output has a kernel, for some device."""
        return bool(self.target) and Ptx(self.ptx).n_entries > 0

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--ptx --json`` prints of a workload."""
        return {
            "is_complete": self.is_complete,
            "target": self.target,
            "n_entries": Ptx(self.ptx).n_entries,
            "reason": self.reason,
            "ptx": self.ptx,
        }


def parse_compute_capability(text: str) -> ComputeCapability:
    """Return ``9.0`` as ``(9, 0)``.

    Raises
    ------
    BadArgumentError
        If it is not of that form.
    """
    found = re.fullmatch(r"(\d{1,2})\.(\d)", text)
    if not found:
        raise BadArgumentError(f"compute capability {text!r} is not of the form 9.0")
    return int(found[1]), int(found[2])


def compile_workloads(
    workloads: list[Workload], compute_capability: ComputeCapability
) -> Iterator[CompiledKernel]:
    """Compile the kernel of each workload for a device generation, one after another.

    Raises
    ------
    HarnessError
        If numba or numba.cuda is missing; a `MissingPartError` if the compiler is.
    """
    with offer_toolkit(Target.COMPILER):
        import_target(Target.COMPILER)
        check_compiler(compute_capability)
        for workload in workloads:
            yield _compile(workload, compute_capability)


def _compile(workload: Workload, compute_capability: ComputeCapability) -> CompiledKernel:
    from mwe.workloads.kernel_subject import CompiledSubject, describe_compile_error

    try:
        subject = workload.load()
        if not isinstance(subject, CompiledSubject):
            raise TypeError(f"{workload.name} has no kernel that numba compiles")
        kernel = subject.build_kernel()
        ptx = compile_to_ptx(kernel.py_func, subject.find_signature(kernel), compute_capability)
    except Exception as error:
        return CompiledKernel(workload=workload.name, reason=describe_compile_error(error))
    return CompiledKernel(workload=workload.name, ptx=ptx)


def compile_to_ptx(
    function: Any, signature: tuple[Any, ...], compute_capability: ComputeCapability
) -> str:
    """Compile a function as a kernel; whatever the compiler raises passes through."""
    from numba import cuda

    with _stand_in_device(compute_capability), warnings.catch_warnings():
        # Of arguments that a version ignores, and launches that would not fill a device.
        warnings.simplefilter("ignore")
        ptx, _return_type = cuda.compile_ptx(function, signature, cc=compute_capability)
    return ptx if isinstance(ptx, str) else ptx.decode()


def check_compiler(compute_capability: ComputeCapability) -> None:
    """Compile a kernel that does nothing: what fails is then the compiler's, not a workload's.

    Raises
    ------
    MissingPartError
        If a part of the toolkit is missing, with what numba says of it; ``numba.cuda`` must have
        been imported for a device.
    HarnessError
        If what is missing is no part of the toolkit, but in upstream's code or in a package that
        it imports.
    """
    from mwe.workloads.kernel_subject import describe_compile_error

    def nothing() -> None:
        pass

    try:
        compile_to_ptx(nothing, (), compute_capability)
    except _UNFIT as error:
        raise HarnessError(
            "numba.cuda compiles nothing here, not even an empty kernel: "
            f"{describe_compile_error(error)}; no part of the toolkit is missing, but upstream's "
            "own code or a package that it imports does not have what it asks for"
        ) from error
    except Exception as error:
        text = describe_compile_error(error)
        raise MissingPartError(
            MissingPart.COMPILER,
            f"no CUDA compiler: {text}; install the extra cu12 or cu13 of numba-cuda, or "
            "nvidia-cuda-nvcc-cu12 and nvidia-cuda-runtime-cu12 for numba's built-in target",
        ) from error


@contextlib.contextmanager
def _stand_in_device(compute_capability: ComputeCapability) -> Iterator[None]:
    """Answer for the device that older compilers ask for its compute capability, and nothing else.

    They do so for each device function that a kernel calls, even when a capability is given.
    """
    from numba.cuda import dispatcher

    original = getattr(dispatcher, "get_current_device", None)
    if original is None:
        yield
        return
    device = SimpleNamespace(compute_capability=compute_capability)
    dispatcher.get_current_device = lambda: device
    try:
        yield
    finally:
        dispatcher.get_current_device = original
