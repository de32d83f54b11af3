"""Which bytes a kernel reads and writes: its PTX is followed, thread by thread, on the host.

What the threads compute is followed as far as it follows from their places, from the arguments and
from constants; what lies in memory is not known. That is enough to know where these kernels
read and write: nowhere does an address, or a decision, depend on a number with a fraction or on
one that was read.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mwe.compiler.ptx import Instruction, Ptx
from mwe.compiler.values import Address, Value, compute, count_bits
from mwe.workloads.subject import Grid

# Of one thread; the kernels have some hundred. A thread that has not ended behind so many is lost.
MAX_STEPS = 5_000
_MEMORY = frozenset({"ld", "ldu", "st", "atom", "red"})
# What orders threads, or asks which run together, moves no data.
_WITHOUT_EFFECT = frozenset({"bar", "barrier", "membar", "fence", "nanosleep"})
_ENDS = frozenset({"ret", "exit"})
# What gives registers a value, known or not, and does nothing else: PTX ISA, 9.7.1 to 9.7.9. An
# instruction that is in none of these may do anything, such as `trap` or `brx.idx`.
_COMPUTATIONS = frozenset({
    "abs", "activemask", "add", "addc", "and", "bfe", "bfi", "bfind", "bmsk", "brev", "clz", "cnot",
    "copysign", "cos", "cvt", "cvta", "div", "dp2a", "dp4a", "ex2", "fma", "fns", "lg2", "lop3",
    "mad", "mad24", "madc", "match", "max", "min", "mov", "mul", "mul24", "neg", "not", "or",
    "popc", "prmt", "rcp", "rem", "rsqrt", "sad", "selp", "set", "setp", "shf", "shfl", "shl",
    "shr", "sin", "slct", "sqrt", "sub", "subc", "szext", "tanh", "testp", "vote", "xor",
})  # fmt: skip
_PLACE = re.compile(r"\[([\w$%]+)(?:\s*\+\s*(-?\d+))?\]")


@dataclass(frozen=True)
class Array:
    """Bytes that a kernel may use, and how they are called in a sentence."""

    description: str
    n_bytes: int


@dataclass(frozen=True)
class Followed:
    """What following a kernel showed."""

    outside: tuple[str, ...]  # accesses outside of an array, each once, in a sentence
    lost: str  # why a thread could not be followed; empty where all could


class _LostError(Exception):
    """A thread goes on in a way that is not known."""


def follow(ptx: Ptx, arguments: Sequence[Any], grid: Grid) -> Followed:
    """Follow every thread of a launch with these arguments: host arrays and numbers."""
    arrays = {
        variable.name: Array(f"the {variable.space} array {variable.name}", variable.n_bytes)
        for variable in ptx.variables.values()
    }
    flat: list[Value] = []
    for number, argument in enumerate(arguments):
        if hasattr(argument, "nbytes") and hasattr(argument, "strides"):
            name = f"argument {number}"
            arrays[name] = Array(name, argument.nbytes)
            address = Address(name, 0)
            # As numba hands an array over: two pointers of the host's, which a device never uses.
            flat += [None, None, argument.size, argument.itemsize, address]
            flat += [*argument.shape, *argument.strides]
        else:
            flat.append(argument if isinstance(argument, int) else None)
    if len(flat) != len(ptx.parameters):
        lost = f"it has {len(ptx.parameters)} parameters, where {len(flat)} were expected"
        return Followed((), lost)
    parameters = dict(zip(ptx.parameters, flat, strict=True))
    outside: dict[str, None] = {}
    lost = ""
    for place in _list_places(grid):
        thread = _Thread(ptx, parameters, arrays, place)
        try:
            for sentence in thread.run():
                outside.setdefault(sentence)
        except _LostError as error:
            lost = lost or str(error)
    return Followed(tuple(outside), lost)


def _list_places(grid: Grid) -> Iterator[dict[str, int]]:
    """Yield the special registers of each thread."""
    axes = "xyz"
    sizes = {f"%ntid.{axis}": size for axis, size in zip(axes, grid.threads, strict=True)}
    sizes |= {f"%nctaid.{axis}": size for axis, size in zip(axes, grid.blocks, strict=True)}
    for block in itertools.product(*map(range, grid.blocks)):
        for thread in itertools.product(*map(range, grid.threads)):
            place = {f"%tid.{axis}": at for axis, at in zip(axes, thread, strict=True)}
            place |= {f"%ctaid.{axis}": at for axis, at in zip(axes, block, strict=True)}
            yield sizes | place


class _Thread:
    """One thread, with its registers."""

    def __init__(
        self,
        ptx: Ptx,
        parameters: Mapping[str, Value],
        arrays: Mapping[str, Array],
        place: Mapping[str, int],
    ) -> None:
        self._instructions, self._labels = ptx.body
        self._parameters = parameters
        self._arrays = arrays
        self._registers: dict[str, Value] = dict(place)

    def run(self) -> Iterator[str]:
        """Yield a sentence for each access outside of an array, until the thread ends.

        A thread that goes on in a way that is not known is a `_LostError`.
        """
        at = 0
        for _ in range(MAX_STEPS):
            if at >= len(self._instructions):
                raise _LostError("the kernel ends without a return")
            instruction = self._instructions[at]
            at += 1
            if instruction.guard and not self._passes(instruction):
                continue
            name = instruction.opcode.partition(".")[0]
            if name in _ENDS:
                return
            if name == "bra":
                at = self._labels.get(instruction.operands[0], len(self._instructions))
            elif name in _MEMORY:
                yield from self._access(instruction)
            # A barrier that also counts or asks has a result.
            elif name not in _WITHOUT_EFFECT or ".red" in instruction.opcode:
                self._compute(name, instruction)
        raise _LostError(f"a thread has not ended after {MAX_STEPS:,} instructions")

    def _passes(self, instruction: Instruction) -> bool:
        predicate = self._registers.get(instruction.guard)
        if not isinstance(predicate, int):
            raise _LostError(f"whether {instruction.opcode} is executed is not known")
        return bool(predicate) is not instruction.is_guard_negated

    def _compute(self, name: str, instruction: Instruction) -> None:
        if name == "call":
            raise _LostError("it calls a function that was not inlined")
        if name not in _COMPUTATIONS:
            raise _LostError(f"what {instruction.opcode} does is not known")
        target, *sources = instruction.operands or ("",)
        # Before the target is written, which may be one of them.
        values = [self._read(source) for source in sources]
        # Whatever has several results has none that is needed here.
        for register in re.findall(r"%[\w.]+", target):
            self._registers[register] = None
        if re.fullmatch(r"%\w+", target):
            self._registers[target] = compute(instruction.opcode, values)

    def _read(self, operand: str) -> Value:
        if operand in self._registers:
            return self._registers[operand]
        if operand in self._arrays:
            return Address(operand, 0)
        found = re.fullmatch(r"(-?)(0[xX][0-9a-fA-F]+|\d+)U?", operand)
        return int(found[1] + found[2], 0) if found else None

    def _access(self, instruction: Instruction) -> Iterator[str]:
        name, *modifiers = instruction.opcode.split(".")
        operand = next((part for part in instruction.operands if part.startswith("[")), "")
        found = _PLACE.fullmatch(operand)
        address = self._read(found[1]) if found else None
        if name in ("ld", "ldu", "atom"):
            for register in re.findall(r"%\w+", instruction.operands[0]):
                self._registers[register] = None
            if "param" in modifiers:
                if found and not found[2]:
                    self._registers[instruction.operands[0]] = self._parameters.get(found[1])
                return
        if not found or not isinstance(address, Address):
            raise _LostError(f"the place that {instruction.opcode} uses is not known")
        n_values = next((int(part[1]) for part in modifiers if part in ("v2", "v4")), 1)
        n_bytes = n_values * count_bits(modifiers[-1]) // 8
        start = address.offset + int(found[2] or 0)
        array = self._arrays[address.array]
        if start < 0 or start + n_bytes > array.n_bytes:
            verb = "writes" if name in ("st", "red", "atom") else "reads"
            yield (
                f"{verb} {n_bytes} bytes at {start} of {array.description}, which has "
                f"{array.n_bytes}"
            )
