"""What an instruction works on, where that shows that no other thread can tell when it runs.

Most instructions that may touch something shared do not: they add numbers, call a function whose
own instructions are heard, or count through a `range`. Python does not show the values that an
instruction takes, so they are followed from where they are loaded. What is not followed is unknown,
and an instruction that takes something unknown is never left out.
"""

from __future__ import annotations

import dis
import sys
from types import CodeType, FrameType
from typing import Any, NamedTuple

from mwe.schedules.explore.effects import (
    MANAGER,
    NULL,
    UNKNOWN,
    VIEWS,
    Made,
    find_attribute,
    find_effect,
    find_item,
    find_kind,
    is_compared_by_identity,
    is_simple,
)
from mwe.schedules.explore.instructions import CONDITIONAL_JUMPS, Instruction


class _Loop(NamedTuple):
    """An iterator that only one frame has, on its stack."""

    kind: type | None  # of the items
    is_own: bool  # whether what is iterated never changes


_ITEMS: Any = type(iter({}.items()))
_LOOPS: dict[type, _Loop] = {
    range: _Loop(int, is_own=True),
    str: _Loop(str, is_own=True),
    bytes: _Loop(int, is_own=True),
    tuple: _Loop(None, is_own=True),
    VIEWS["items"]: _Loop(tuple, is_own=False),
}
# They only count or calculate, as far as they take simple values.
_CALCULATIONS = ("BINARY_", "COMPARE_", "INPLACE_", "UNARY_", "TO_BOOL")
_TRUTHS = ("UNARY_NOT", "TO_BOOL")

# How many values an instruction takes, and how many of which nothing is known it leaves.
_EFFECTS = {
    operation: effect
    for operations, effect in {
        """
        NOP RESUME KW_NAMES JUMP_FORWARD JUMP_BACKWARD JUMP_ABSOLUTE
        JUMP_BACKWARD_NO_INTERRUPT MAKE_CELL COPY_FREE_VARS DELETE_FAST DELETE_GLOBAL DELETE_NAME
        DELETE_DEREF
        """: (0, 0),
        "POP_TOP STORE_FAST STORE_GLOBAL STORE_NAME STORE_DEREF DELETE_ATTR": (1, 0),
        "STORE_FAST_STORE_FAST STORE_ATTR DELETE_SUBSCR": (2, 0),
        "STORE_SUBSCR": (3, 0),
        "STORE_SLICE": (4, 0),
        "BINARY_SLICE": (3, 1),
        "LOAD_CLOSURE IMPORT_FROM": (0, 1),
        "IMPORT_NAME": (2, 1),
        "BEFORE_WITH SETUP_WITH": (1, 2),
    }.items()
    for operation in operations.split()
}
# What is made of the values in brackets; nothing is known of sets and dictionaries.
_MAKES: dict[str, type | None] = {
    "BUILD_LIST": list,
    "BUILD_TUPLE": tuple,
    "BUILD_STRING": str,
    "BUILD_SLICE": slice,
    "BUILD_SET": None,
    "BUILD_MAP": None,
    "BUILD_CONST_KEY_MAP": None,
}
_LOADS_FAST = ("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW")


class _Step(NamedTuple):
    """An instruction, and where the next one can stand unless there is an exception."""

    operation: str
    arg: int
    value: Any
    next: int
    target: int | None


_layouts: dict[CodeType, tuple[dict[int, _Step], dict[int, int]]] = {}


def _find_layout(code: CodeType) -> tuple[dict[int, _Step], dict[int, int]]:
    """Return the instructions by offset, and for each offset the one that is heard there."""
    try:
        return _layouts[code]
    except KeyError:
        found, heard, follower = {}, {}, -1
        for each in reversed(list(dis.get_instructions(code))):
            if each.opname not in ("CACHE", "EXTENDED_ARG", "PRECALL"):
                jumps = each.opcode in dis.hasjrel or each.opcode in dis.hasjabs
                target = each.argval if jumps else None
                found[each.offset] = _Step(
                    each.opname, each.arg or 0, each.argval, follower, target
                )
                follower = each.offset
            heard[each.offset] = follower
        _layouts[code] = found, heard
        return _layouts[code]


def _share(value: Any) -> Any:
    """Return what is known of a value that is no longer on the stack alone."""
    return UNKNOWN if type(value) is Made and not is_simple(value) else value


class Operands:
    """The values that the instructions of one call of a function take, as far as they are known.

    The last ones on the interpreter's stack; what lies below is unknown.
    """

    def __init__(self, code: CodeType) -> None:
        self._steps, self._heard = _find_layout(code)
        self._stack: list[Any] = []
        self._last: _Step | None = None
        self._item: Any = UNKNOWN  # what a loop that goes on would take
        self.enters_own_manager = False

    def follow(self, frame: FrameType, instruction: Instruction | None) -> Instruction | None:
        """Take in the instruction that is about to run, and return what it can touch.

        That is the instruction itself, if it can be a point and nothing more is known; None where
        no other thread can tell when it runs.
        """
        self.enters_own_manager = False
        offset = self._heard.get(frame.f_lasti, -1)
        self._go_to(offset)
        step = self._last = self._steps.get(offset)
        if step is None or frame.f_lasti != offset:
            self._last = None if step is None else _Step("NOP", 0, None, offset, None)
            return instruction
        return self._run(step, frame, instruction)

    def _go_to(self, offset: int) -> None:
        """Forget what is known if an exception or something unknown led here."""
        last = self._last
        if last is None:
            self._stack.clear()
        elif offset == last.next:
            if last.operation == "FOR_ITER":
                self._stack.append(self._item)
        elif last.target is not None and offset >= 0 and last.operation == "FOR_ITER":
            # Newer Pythons skip the instructions there that end the loop.
            if last.target <= offset <= last.target + 6:
                self._take(1)
            else:
                self._stack.clear()
        elif last.target is None or offset != self._heard.get(last.target):
            self._stack.clear()

    def _take(self, n: int) -> list[Any]:
        """Take so many values off the stack, the lowest first."""
        if not n:
            return []
        taken = self._stack[-n:]
        del self._stack[-n:]
        return [UNKNOWN] * (n - len(taken)) + taken

    def _run(
        self, step: _Step, frame: FrameType, instruction: Instruction | None
    ) -> Instruction | None:
        operation, stack = step.operation, self._stack
        if operation in _LOADS_FAST:
            stack.append(frame.f_locals.get(step.value, UNKNOWN))
        elif operation.startswith("LOAD_FAST_") and isinstance(step.value, tuple):
            stack.extend(frame.f_locals.get(name, UNKNOWN) for name in step.value)
        elif operation == "STORE_FAST_LOAD_FAST":
            (value,) = self._take(1)
            stored, loaded = step.value
            known = frame.f_locals.get(loaded, UNKNOWN)
            stack.append(_share(value) if stored == loaded else known)
        elif operation == "LOAD_CONST":
            stack.append(step.value)
        elif operation == "PUSH_NULL":
            stack.append(NULL)
        elif operation == "LOAD_GLOBAL":
            if sys.version_info >= (3, 11) and step.arg & 1:
                stack.append(NULL)
            builtin = frame.f_builtins.get(step.value, UNKNOWN)
            stack.append(frame.f_globals.get(step.value, builtin))
        elif operation == "LOAD_DEREF":
            stack.append(frame.f_locals.get(step.value, UNKNOWN))
        elif operation in ("LOAD_ATTR", "LOAD_METHOD"):
            (owner,) = self._take(1)
            if operation == "LOAD_METHOD" or (sys.version_info >= (3, 12) and step.arg & 1):
                stack.append(NULL)
            stack.append(find_attribute(owner, step.value))
        elif operation == "COPY":
            if step.arg <= len(stack):
                stack[-step.arg] = _share(stack[-step.arg])
            stack.append(stack[-step.arg] if step.arg <= len(stack) else UNKNOWN)
        elif operation == "SWAP":
            values = self._take(step.arg)
            values[0], values[-1] = values[-1], values[0]
            stack.extend(values)
        elif operation == "DUP_TOP_TWO":
            stack.extend(self._take(2) * 2)
        elif operation in ("ROT_TWO", "ROT_THREE"):
            values = self._take(2 if operation == "ROT_TWO" else 3)
            stack.extend([values[-1], *values[:-1]])
        elif operation in CONDITIONAL_JUMPS:
            (value,) = self._take(1)
            if operation.endswith("_OR_POP"):
                # Where it jumps, the value stays.
                stack.clear()
                self._last = None
            return None if is_simple(value) else instruction
        elif operation.startswith("POP_JUMP_"):
            self._take(1)
        elif operation in _MAKES:
            self._build(step)
        elif operation.startswith("CALL"):
            return self._call(step, instruction)
        elif operation in ("GET_ITER", "FOR_ITER"):
            return self._iterate(step, instruction)
        elif operation == "UNPACK_SEQUENCE":
            (value,) = self._take(1)
            stack.extend([UNKNOWN] * step.arg)
            return None if find_kind(value) is tuple else instruction
        elif operation in ("IS_OP", "CONTAINS_OP"):
            value, container = self._take(2)
            stack.append(Made(bool))
            # Where nothing is listed, it is not known what it holds; a view holds what is changed.
            is_listed = type(container) is Made and container.kind in (list, tuple)
            items = (container.items or None) if is_listed else container
            if type(items) is tuple and all(map(is_compared_by_identity, (value, *items))):
                return None
        elif operation in _EFFECTS:
            n_taken, n_left = _EFFECTS[operation]
            taken = self._take(n_taken)
            stack.extend([UNKNOWN] * n_left)
            if operation in ("BEFORE_WITH", "SETUP_WITH") and find_kind(taken[0]) is MANAGER:
                self.enters_own_manager = type(taken[0]) is Made
                return None if self.enters_own_manager else instruction
        elif operation.startswith(_CALCULATIONS):
            return self._calculate(step, instruction)
        else:
            stack.clear()
            self._last = None
        return instruction

    def _build(self, step: _Step) -> None:
        operation, n_values = step.operation, step.arg
        if operation in ("BUILD_MAP", "BUILD_CONST_KEY_MAP"):
            n_values = 2 * step.arg if operation == "BUILD_MAP" else step.arg + 1
        values = tuple(self._take(n_values))
        kind = _MAKES[operation]
        self._stack.append(Made(kind, values) if kind else UNKNOWN)

    def _calculate(self, step: _Step, instruction: Instruction | None) -> Instruction | None:
        values = self._take(1 if step.operation.startswith(("UNARY_", "TO_BOOL")) else 2)
        result: Any = UNKNOWN
        touched = instruction
        if step.operation == "BINARY_SUBSCR":
            container, key = values
            kind = find_kind(container)
            if kind in (tuple, str, bytes) and is_simple(key):
                touched = None
            result = find_item(container, key)
        elif all(map(is_simple, values)):
            touched, result = None, Made(int)
        if step.operation in _TRUTHS:
            result = Made(bool)
        self._stack.append(result)
        return touched

    def _iterate(self, step: _Step, instruction: Instruction | None) -> Instruction | None:
        """Follow a loop: what is iterated is replaced by its iterator, which stays on the stack."""
        if step.operation == "GET_ITER":
            (value,) = self._take(1)
            kind = find_kind(value)
            loop = None if kind is None else _LOOPS.get(kind)
            self._stack.append(loop or UNKNOWN)
            return None if loop and loop.is_own else instruction
        loop = self._stack[-1] if self._stack else UNKNOWN
        if type(loop) is _ITEMS:
            # What a comprehension was given.
            loop = _LOOPS[VIEWS["items"]]
        if type(loop) is not _Loop:
            self._item = UNKNOWN
            return instruction
        self._item = Made(loop.kind) if loop.kind else UNKNOWN
        return None if loop.is_own else instruction

    def _call(self, step: _Step, instruction: Instruction | None) -> Instruction | None:
        operation, n_arguments = step.operation, step.arg
        has_names = operation in ("CALL_FUNCTION_KW", "CALL_KW")
        if operation == "CALL_FUNCTION_EX":
            n_arguments = 1 + (step.arg & 1)
        elif operation not in ("CALL", "CALL_FUNCTION", "CALL_METHOD") and not has_names:
            self._stack.clear()
            self._last = None
            return instruction
        if has_names:
            self._take(1)
        arguments = self._take(n_arguments)
        has_one_slot = operation == "CALL_FUNCTION" or (
            sys.version_info < (3, 11) and operation != "CALL_METHOD"
        )
        if has_one_slot:
            (callee,) = self._take(1)
        else:
            slots = self._take(2)
            known = [slot for slot in slots if slot is not NULL]
            callee = known[0] if len(known) == 1 else UNKNOWN
        if operation == "CALL_FUNCTION_EX":
            is_plain = all(type(each) in (tuple, dict) or find_kind(each) is tuple
                           for each in arguments)  # fmt: skip
            arguments = [UNKNOWN]
            if not is_plain:
                callee = UNKNOWN
        touched, result = find_effect(callee, arguments, instruction)
        self._stack.append(result)
        return touched
