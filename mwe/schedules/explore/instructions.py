"""Where a forced switch may happen: instructions that can touch what two threads both see."""

from __future__ import annotations

import dis
import importlib.util
import os
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType
from typing import NamedTuple

# These touch the frame's own names and stack, or decide where it goes on; whatever is not listed,
# an instruction of a Python to come for example, is taken for one that touches more.
_LOCAL_INSTRUCTIONS = frozenset(
    """
    BUILD_CONST_KEY_MAP BUILD_LIST BUILD_MAP BUILD_SET BUILD_SLICE BUILD_STRING BUILD_TUPLE
    CACHE CHECK_EXC_MATCH COPY COPY_FREE_VARS DELETE_FAST DUP_TOP DUP_TOP_TWO END_FOR END_SEND
    EXTENDED_ARG GEN_START GET_LEN IS_OP JUMP_ABSOLUTE JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT
    JUMP_FORWARD JUMP_IF_NOT_EXC_MATCH KW_NAMES LIST_APPEND LIST_TO_TUPLE LOAD_ASSERTION_ERROR
    LOAD_CLOSURE LOAD_CONST LOAD_FAST LOAD_FAST_AND_CLEAR LOAD_FAST_BORROW LOAD_FAST_CHECK
    LOAD_FAST_LOAD_FAST MAKE_CELL MAKE_FUNCTION MAP_ADD NOP POP_BLOCK POP_EXCEPT
    POP_JUMP_BACKWARD_IF_NONE POP_JUMP_BACKWARD_IF_NOT_NONE POP_JUMP_FORWARD_IF_NONE
    POP_JUMP_FORWARD_IF_NOT_NONE POP_JUMP_IF_NONE POP_JUMP_IF_NOT_NONE POP_TOP PRECALL
    PUSH_EXC_INFO PUSH_NULL RAISE_VARARGS RERAISE RESUME RETURN_CONST RETURN_GENERATOR
    RETURN_VALUE ROT_FOUR ROT_N ROT_THREE ROT_TWO SEND SET_ADD SET_FUNCTION_ATTRIBUTE
    SETUP_FINALLY STORE_FAST STORE_FAST_LOAD_FAST STORE_FAST_STORE_FAST SWAP YIELD_VALUE
    """.split()  # noqa: SIM905 (they read better so)
)
# They ask a list or a dictionary how much it holds; since Python 3.13 another instruction does.
CONDITIONAL_JUMPS = frozenset(
    """
    JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP POP_JUMP_BACKWARD_IF_FALSE
    POP_JUMP_BACKWARD_IF_TRUE POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_TRUE
    POP_JUMP_IF_FALSE POP_JUMP_IF_TRUE
    """.split()  # noqa: SIM905
)
if sys.version_info >= (3, 13):
    _LOCAL_INSTRUCTIONS |= CONDITIONAL_JUMPS

# Whether no event comes between these and the instruction that they belong to.
_IS_HEARD_BEFORE_EXTENDED_ARG = sys.version_info < (3, 12)

# It need not be installed for this module to be imported.
_NUMPY = importlib.util.find_spec("numpy")
_HERE = os.path.dirname(os.path.abspath(__file__))
# Nothing that two simulated threads share is decided in these: a switch inside of the standard
# library, numpy or the harness is one that the next instruction outside stands for.
_PASSED_OVER = (
    os.path.join(sysconfig.get_path("stdlib"), ""),
    os.path.join(os.path.dirname(_NUMPY.origin), "") if _NUMPY and _NUMPY.origin else "<",
    os.path.dirname(_HERE),
    "<",
)
_SITE_PACKAGES = (
    os.path.join(sysconfig.get_path("purelib"), ""),
    os.path.join(sysconfig.get_path("platlib"), ""),
)


class Instruction(NamedTuple):
    """An instruction that can be a point.

    Attributes
    ----------
    operation
        Its name, as `dis` has it.
    name
        The global, attribute or cell that it names; None where it names none.
    """

    operation: str
    name: str | None


@dataclass(frozen=True)
class Writes:
    """What a function can change, by the names that its instructions have.

    Attributes
    ----------
    attributes, variables
        Names of attributes and globals, and of cells, that are stored or deleted.
    is_opaque
        Whether it mentions a way of storing attributes whose names do not stand in it.
    """

    attributes: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    is_opaque: bool = False

    def __or__(self, other: Writes) -> Writes:
        return Writes(
            self.attributes | other.attributes,
            self.variables | other.variables,
            self.is_opaque or other.is_opaque,
        )


# With these, attributes change whose names stand in no instruction. Of a module's globals that is
# seen by looking at them, of other objects it is not.
_OPAQUE_WRITERS = frozenset(
    {"setattr", "delattr", "vars", "__dict__", "__setattr__", "__delattr__", "exec"}
)
# The same if they are stored; they are often read.
_CLASS_WRITERS = frozenset({"__class__", "__bases__"})

_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>")

_NAME_WRITES = frozenset(
    f"{verb}_{where}" for verb in ("STORE", "DELETE") for where in ("ATTR", "GLOBAL", "NAME")
)

_points: dict[CodeType, dict[int, Instruction]] = {}
_writes: dict[CodeType, Writes] = {}
_functions: dict[tuple[str, int, str], set[CodeType]] = {}
_explored_files: dict[str, bool] = {}


def is_explored(file: str) -> bool:
    """Whether switches happen in the functions of a file: the simulator's and the user's."""
    try:
        return _explored_files[file]
    except KeyError:
        is_library = file.startswith(_PASSED_OVER)
        if is_library and file.startswith(_SITE_PACKAGES):
            # site-packages lies inside of the standard library's folder.
            is_library = file.startswith(_PASSED_OVER[1:])
        _explored_files[file] = not is_library
        return not is_library


def find_points(code: CodeType) -> dict[int, Instruction]:
    """Return the instructions of a function that can be points, by offset in bytes."""
    try:
        return _points[code]
    except KeyError:
        found, start = {}, None
        for instruction in dis.get_instructions(code):
            if start is None or not _IS_HEARD_BEFORE_EXTENDED_ARG:
                start = instruction.offset
            if instruction.opname == "EXTENDED_ARG":
                continue
            if instruction.opname not in _LOCAL_INSTRUCTIONS:
                found[start] = Instruction(
                    instruction.opname,
                    instruction.argval if isinstance(instruction.argval, str) else None,
                )
            start = None
        _points[code] = found
        _functions.setdefault(name_function(code), set()).add(code)
        return found


def name_function(code: CodeType) -> tuple[str, int, str]:
    """Return file, first line and name of a function."""
    return code.co_filename, code.co_firstlineno, code.co_name


def has_namesake(code: CodeType) -> bool:
    """Whether another function was met that stands on the same line under the same name."""
    return len(_functions[name_function(code)]) > 1


def _find_constant_name(instructions: Sequence[dis.Instruction]) -> str | None:
    """Return the name in ``x.__dict__["name"] = y`` or ``setattr(x, "name", y)``, if it is that."""
    operations = [instruction.opname for instruction in instructions]
    if instructions[0].argval == "__dict__":
        if operations[1:3] == ["LOAD_CONST", "STORE_SUBSCR"]:
            return str(instructions[1].argval)
    elif operations[1:3] == ["LOAD_FAST", "LOAD_CONST"]:
        name = instructions[2].argval
        return name if isinstance(name, str) else None
    return None


def _is_shared_cell(code: CodeType, name: str) -> bool:
    """Whether a variable is one that another thread can have.

    One that only comprehensions close over, which run at once, belongs to a single call.
    """
    return name not in code.co_cellvars or not _is_only_in_comprehensions(code, name)


def _is_only_in_comprehensions(code: CodeType, name: str) -> bool:
    return all(
        nested.co_name in _COMPREHENSIONS and _is_only_in_comprehensions(nested, name)
        for nested in code.co_consts
        if isinstance(nested, CodeType) and name in nested.co_freevars
    )


def find_writes(code: CodeType) -> Writes:
    """Return what a function can change, those nested in it left out."""
    try:
        return _writes[code]
    except KeyError:
        attributes, variables, is_opaque = set(), set(), False
        instructions = [
            instruction
            for instruction in dis.get_instructions(code)
            if instruction.opname not in ("CACHE", "PRECALL", "PUSH_NULL")
        ]
        for index, instruction in enumerate(instructions):
            if instruction.argval in _CLASS_WRITERS:
                is_opaque |= instruction.opname in _NAME_WRITES
            elif instruction.opname in _NAME_WRITES:
                attributes.add(instruction.argval)
            elif instruction.opname in ("STORE_DEREF", "DELETE_DEREF"):
                if _is_shared_cell(code, instruction.argval):
                    variables.add(instruction.argval)
            elif instruction.argval in _OPAQUE_WRITERS:
                name = _find_constant_name(instructions[index : index + 4])
                if name is None or name in _CLASS_WRITERS:
                    is_opaque = True
                else:
                    attributes.add(name)
        found = Writes(frozenset(attributes), frozenset(variables), is_opaque)
        _writes[code] = found
        return found
