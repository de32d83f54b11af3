"""What is wrong with the PTX of a kernel, if anything is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mwe.compiler.accesses import follow
from mwe.compiler.ptx import Ptx
from mwe.errors import HarnessError
from mwe.workloads.subject import Grid


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """The arrays that a kernel asks for, in bytes."""

    shared_bytes: int = 0
    local_bytes: int = 0
    # Whether a thread's index chooses the element. Where it does not, the compiler may hold a local
    # array in registers, and then declares none.
    keeps_local: bool = False


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What the PTX of a kernel has to be."""

    target: str  # such as ``sm_90``
    footprint: Footprint
    # Of the launch that is followed: host arrays and numbers, blocks and threads.
    arguments: Sequence[Any]
    grid: Grid


def describe_fault(text: str, expected: Expectation) -> str:
    """Return what is wrong with a compiler's output, in one line; an empty text if nothing is.

    The output has to be whole, for the generation that was asked for, with one kernel in it; its
    local and shared arrays have to have their size; and no thread may read or write outside of an
    array: a constant, a local or shared array, or one that is handed over.

    Raises
    ------
    HarnessError
        If a thread cannot be followed, so that nothing is known of what it reads.
    """
    ptx = Ptx(text)
    fault = _describe_form(ptx, expected.target) or _describe_sizes(ptx, expected.footprint)
    if fault:
        return fault
    followed = follow(ptx, expected.arguments, expected.grid)
    if followed.outside:
        more = len(followed.outside) - 1
        return f"the kernel {followed.outside[0]}" + (f" (and {more} more)" if more else "")
    if followed.lost:
        raise HarnessError(f"the compiled kernel cannot be followed: {followed.lost}")
    return ""


def _describe_form(ptx: Ptx, target: str) -> str:
    if not ptx.is_whole or not ptx.text.strip():
        return "the output is cut short" if ptx.text.strip() else "the output is empty"
    if ptx.target != target:
        return f"the output is for {ptx.target or 'no target'}, expected {target}"
    if ptx.n_entries != 1:
        return f"the output has {ptx.n_entries} kernels, expected 1"
    return ""


def _describe_sizes(ptx: Ptx, footprint: Footprint) -> str:
    shared, local = ptx.count_bytes("shared"), ptx.count_bytes("local")
    if shared != footprint.shared_bytes:
        return f"{shared} bytes of shared arrays are declared, expected {footprint.shared_bytes}"
    least = footprint.local_bytes if footprint.keeps_local else 0
    if not least <= local <= footprint.local_bytes:
        wanted = f"{footprint.local_bytes}" if least else f"at most {footprint.local_bytes}"
        return f"{local} bytes of local arrays are declared, expected {wanted}"
    return ""
