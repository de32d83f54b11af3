"""What calls and other instructions touch, by the values that they take."""

from __future__ import annotations

import contextlib
import numbers
import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from types import (
    BuiltinFunctionType,
    BuiltinMethodType,
    FrameType,
    FunctionType,
    GetSetDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Any, NamedTuple

from mwe.schedules.explore.instructions import Instruction

UNKNOWN: Any = object()
NULL: Any = object()  # what the interpreter keeps beside a function that is called


class Made(NamedTuple):
    """Something of which only its class is known, and that no other thread has."""

    kind: type
    items: tuple[Any, ...] = ()  # of a list in brackets


_SIMPLE = frozenset({int, float, complex, bool, str, bytes, type(None), type(Ellipsis)})
_OF_HEAP = 1 << 9  # set for classes that Python code made
_OF_SIMPLE = frozenset({abs, chr, divmod, hash, len, max, min, ord, pow, round})
_GENERIC = vars(object)["__getattribute__"]
_EMPTY: dict[str, int] = {}
# What these methods of a dictionary return shows what it holds later.
VIEWS = {view.__name__: type(view()) for view in (_EMPTY.items, _EMPTY.keys, _EMPTY.values)}
# A read of this name stands for one of an object's class.
_CLASS = Instruction("LOAD_ATTR", "__class__")
_CALLED = Instruction("LOAD_ATTR", "__call__")

# Of the standard library's functions, those that touch nothing but what their thread alone has.
MANAGER: Any = contextlib._GeneratorContextManager
_FUNCTIONS: list[Any] = [
    *(contextlib.contextmanager(lambda: iter(())), MANAGER.__init__, threading.current_thread),
    *(MANAGER.__enter__, MANAGER.__exit__),
]
*_OWN, _ENTER, _EXIT = (function.__code__ for function in _FUNCTIONS)
_MAKE_MANAGER = _OWN[0]


class OwnCalls:
    """Tells which calls into the standard library touch nothing that another thread has."""

    def __init__(self) -> None:
        self._entered: set[int] = set()
        self.enters_own_manager = False

    def is_own_call(self, frame: FrameType) -> bool:
        """Whether a function that is being called can be passed over."""
        code, enters_own_manager = frame.f_code, self.enters_own_manager
        self.enters_own_manager = False
        if code in _OWN:
            return True
        if code is _ENTER and enters_own_manager:
            self._entered.add(id(frame.f_locals["self"]))
            return True
        if code is _EXIT and id(frame.f_locals["self"]) in self._entered:
            # It is kept alive by this call, and may be another one's place after that.
            self._entered.discard(id(frame.f_locals["self"]))
            return True
        return False


def find_kind(value: Any) -> type | None:
    """Return the class of a value; None if it is not known."""
    if value is UNKNOWN or value is NULL:
        return None
    return value.kind if type(value) is Made else type(value)


def is_simple(value: Any) -> bool:
    """Whether a value never changes and calls no Python code when it is calculated with."""
    kind = find_kind(value)
    return kind is not None and _is_simple_kind(kind)


def _is_simple_kind(kind: type) -> bool:
    return kind in _SIMPLE or (
        not kind.__flags__ & _OF_HEAP
        and kind.__module__ == "numpy"
        and (issubclass(kind, numbers.Number) or kind.__name__ in ("bool", "bool_"))
    )


def is_compared_by_identity(value: Any) -> bool:
    """Whether a comparison with another such value calls no Python code and reads nothing else."""
    return type(value) is type or is_simple(value)


def find_attribute(owner: Any, name: str) -> Any:
    """Return an attribute, if it can be found without calling Python code."""
    kind = find_kind(owner)
    if kind is None or type(owner) is Made:
        return UNKNOWN
    if kind is ModuleType:
        return vars(owner).get(name, UNKNOWN)
    if kind is not dict and _look_up(kind, "__getattribute__") is not _GENERIC:
        return UNKNOWN
    found, names = _look_up(kind, name), _look_up(kind, "__dict__")
    if any(_look_up(type(found), setter) is not UNKNOWN for setter in ("__set__", "__delete__")):
        return UNKNOWN
    if names is not UNKNOWN:
        if type(names) is not GetSetDescriptorType:
            return UNKNOWN
        own = dict.get(names.__get__(owner, kind), name, UNKNOWN)
        if own is not UNKNOWN:
            return own
    if type(found) in (FunctionType, MethodDescriptorType):
        return found.__get__(owner, kind)
    return UNKNOWN


def _look_up(kind: type, name: str) -> Any:
    for base in kind.__mro__:
        if name in vars(base):
            return vars(base)[name]
    return UNKNOWN


def find_item(container: Any, key: Any) -> Any:
    """Return an item of a container whose class is built in."""
    if Made in (type(container), type(key)) or not is_simple(key):
        return UNKNOWN
    if type(container) in (dict, defaultdict):
        return dict.get(container, key, UNKNOWN)
    if type(container) in (tuple, list) and type(key) is int and abs(key) < len(container):
        return container[key]
    return UNKNOWN


def find_effect(
    callee: Any, arguments: Sequence[Any], instruction: Instruction | None
) -> tuple[Instruction | None, Any]:
    """Return what a call touches before any Python function is entered, and what it returns."""
    function = callee
    if type(callee) is MethodType and type(callee.__func__) is FunctionType:
        function = callee.__func__
    if type(function) is FunctionType:
        return None, Made(MANAGER) if function.__code__ is _MAKE_MANAGER else UNKNOWN
    if type(function) is type:
        return _find_effect_of_class(function, arguments, instruction)
    if type(function) in (BuiltinFunctionType, BuiltinMethodType):
        return _find_effect_of_builtin(function, arguments, instruction)
    if callee is not UNKNOWN and type(_look_up(type(callee), "__call__")) is FunctionType:
        return _CALLED, UNKNOWN
    return instruction, UNKNOWN


def _find_effect_of_class(
    kind: type, arguments: Sequence[Any], instruction: Instruction | None
) -> tuple[Instruction | None, Any]:
    if kind is super and not arguments:
        return None, UNKNOWN
    if kind is type and len(arguments) == 1:
        found = find_kind(arguments[0])
        return _CLASS, UNKNOWN if found is None else found
    if (kind is range or _is_simple_kind(kind)) and all(map(is_simple, arguments)):
        return None, Made(kind)
    return instruction, UNKNOWN


def _find_effect_of_builtin(
    function: Callable[..., Any], arguments: Sequence[Any], instruction: Instruction | None
) -> tuple[Instruction | None, Any]:
    if function in (id, sys._getframe):
        return None, Made(int) if function is id else UNKNOWN
    if function is isinstance and len(arguments) == 2 and type(arguments[1]) is type:
        return _CLASS, Made(bool)
    if function in _OF_SIMPLE and all(map(is_simple, arguments)):
        return None, Made(int)
    if type(getattr(function, "__self__", None)) is dict and function.__name__ in VIEWS:
        return None, Made(VIEWS[function.__name__])
    numpy = sys.modules.get("numpy")
    if numpy is not None and function in (numpy.empty, numpy.zeros) and all(
        type(each) is type or is_simple(each) for each in arguments
    ):  # fmt: skip
        return None, UNKNOWN
    return instruction, UNKNOWN
