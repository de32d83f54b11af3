"""PTX read as a text: its header, the arrays that it declares, and the instructions of its kernel.

PTX is the compiler's output, an assembly language for devices; the driver, or the linker of the
toolkit, makes machine code of it. Only what the judge needs is read.

Source: NVIDIA, "PTX ISA", 4 (Syntax), 5 (State Spaces, Types and Variables), 11 (Directives).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cached_property

_ENTRY = re.compile(r"^\s*(?:\.(?:visible|weak|extern)\s+)*\.entry\b", re.MULTILINE)
# `.shared .align 4 .b8 name[40];`, a constant with `= {...}` behind it, or a single value.
_VARIABLE = re.compile(
    r"\.(?P<space>const|global|local|shared)\s+(?:\.align\s+\d+\s+)?"
    r"\.(?:v(?P<vector>[24])\s+)?\.?[a-z]+(?P<bits>\d+)\s+(?P<name>[\w$%]+)(?P<sizes>(?:\[\d*\])*)"
)
_LABEL = re.compile(r"^([\w$]+):\s*")
_GUARD = re.compile(r"^@(!?)(%\w+)\s+")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Variable:
    """An array, or a single value, that PTX declares."""

    space: str  # const, global, local or shared
    name: str
    n_bytes: int


@dataclass(frozen=True)
class Instruction:
    """An instruction: ``ld.global.u64 %rd1, [%rd2+8]`` has two operands."""

    opcode: str
    operands: tuple[str, ...]
    guard: str = ""  # the predicate that decides whether it is executed
    is_guard_negated: bool = False


@dataclass(frozen=True)
class Ptx:
    """The compiler's output."""

    text: str

    @cached_property
    def _code(self) -> str:
        return _COMMENT.sub("", self.text)

    @property
    def target(self) -> str:
        """The generation that the output is for, such as ``sm_90``; empty where there is none."""
        found = re.search(r"^\.target\s+(\w+)", self._code, re.MULTILINE)
        return found[1] if found else ""

    @property
    def n_entries(self) -> int:
        """Kernels in the output."""
        return len(_ENTRY.findall(self._code))

    @property
    def is_whole(self) -> bool:
        """Whether each brace is closed: an output that was cut short is none."""
        return self._code.count("{") == self._code.count("}")

    @cached_property
    def variables(self) -> dict[str, Variable]:
        """What is declared, by name."""
        found = {}
        for match in _VARIABLE.finditer(self._code):
            sizes = [int(size or 0) for size in re.findall(r"\[(\d*)\]", match["sizes"])]
            n_bytes = int(match["bits"]) // 8 * int(match["vector"] or 1) * math.prod(sizes)
            found[match["name"]] = Variable(match["space"], match["name"], n_bytes)
        return found

    def count_bytes(self, space: str) -> int:
        """Return how much is declared in a space, ``local`` or ``shared``, say."""
        return sum(found.n_bytes for found in self.variables.values() if found.space == space)

    @cached_property
    def _entry(self) -> tuple[str, str]:
        """The parameters of the first kernel and its body; empty where there is none."""
        found = _ENTRY.search(self._code)
        head, brace, rest = self._code[found.end() if found else len(self._code) :].partition("{")
        if not brace:
            return "", ""
        depth = 1
        for place, character in enumerate(rest):
            depth += {"{": 1, "}": -1}.get(character, 0)
            if depth == 0:
                return head, rest[:place]
        return head, rest

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The names of the kernel's parameters."""
        return tuple(re.findall(r"\.param\s+(?:\.align\s+\d+\s+)?\.\w+\s+(\w+)", self._entry[0]))

    @cached_property
    def body(self) -> tuple[list[Instruction], dict[str, int]]:
        """The kernel's instructions, and by label the index of the one behind it."""
        instructions: list[Instruction] = []
        labels: dict[str, int] = {}
        for statement in re.split(r";", self._entry[1]):
            rest = statement.strip().lstrip("{}").strip()
            while label := _LABEL.match(rest):
                labels[label[1]] = len(instructions)
                rest = rest[label.end() :].lstrip("{} \t\n")
            if rest and not rest.startswith("."):
                instructions.append(_parse_instruction(rest))
        return instructions, labels


def _parse_instruction(text: str) -> Instruction:
    guard = _GUARD.match(text)
    opcode, *rest = text[guard.end() if guard else 0 :].split(None, 1)
    operands = rest[0] if rest else ""
    return Instruction(
        opcode=opcode,
        # Those between braces are one: the registers of a vector.
        operands=tuple(part.strip() for part in re.split(r",(?![^{]*\})", operands) if part),
        guard=guard[2] if guard else "",
        is_guard_negated=bool(guard and guard[1]),
    )
