"""What a register of PTX holds, as far as it is known, and what instructions make of it.

A value is a number, as the pattern of its bits; the address of something by its distance from the
first byte; a predicate; or None, which is not known. Whatever has a fraction is not known.

Source: NVIDIA, "PTX ISA", 9.7.1 (Integer Arithmetic), 9.7.6 (Comparison and Selection), 9.7.8
(Logic and Shift), 9.7.9 (Data Movement and Conversion).
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_ADDRESS_BITS = 64


@dataclass(frozen=True)
class Address:
    """A byte of an array: of a variable, or of an argument."""

    array: str
    offset: int  # in bytes; below 0 it lies in front


Value = int | Address | None

_COMPARISONS: dict[str, Callable[[int, int], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    # Of unsigned numbers, in the language's older names.
    "lo": operator.lt,
    "ls": operator.le,
    "hi": operator.gt,
    "hs": operator.ge,
}


def _divide(one: int, other: int) -> int:
    """Divide towards zero, as devices do, and Python does not."""
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


_OPERATIONS: dict[str, Callable[..., int]] = {
    "abs": abs,
    "add": operator.add,
    "and": operator.and_,
    "cvt": int,
    "div": _divide,
    "mad": lambda one, other, third: one * other + third,
    "max": max,
    "min": min,
    "mov": int,
    "mul": operator.mul,
    "neg": operator.neg,
    "not": operator.invert,
    "or": operator.or_,
    "rem": lambda one, other: one - _divide(one, other) * other,
    "shl": operator.lshift,
    "shr": operator.rshift,
    "sub": operator.sub,
    "xor": operator.xor,
}
# A shift by more than a register has leaves nothing.
_MAX_SHIFT = 64


def count_bits(type_name: str) -> int:
    """Return the bits of a type such as ``s64``."""
    return 1 if type_name == "pred" else int("".join(filter(str.isdigit, type_name)) or 0)


def read_as(value: int, type_name: str) -> int:
    """Return the number that a pattern of bits stands for; a type without `s` is unsigned."""
    bits = count_bits(type_name)
    value &= (1 << bits) - 1
    return value - (1 << bits) if type_name[0] == "s" and value >> (bits - 1) else value


def compute(opcode: str, values: Sequence[Value]) -> Value:
    """Return what an instruction makes of its operands; None where that is not known."""
    name, *modifiers = opcode.split(".")
    if name == "cvta":
        return values[0]
    if name == "selp":
        one, other, condition = values
        return None if not isinstance(condition, int) else one if condition else other
    types = [part for part in modifiers if part[0] in "subfp" and part[1:].isdigit()]
    types += [part for part in modifiers if part == "pred"]
    if any(isinstance(value, Address) for value in values):
        return _compute_address(name, values)
    if not types or any(kind[0] == "f" for kind in types) or None in values:
        return None
    numbers = [read_as(value, types[-1]) for value in _keep_numbers(values)]
    if name == "mad" and "wide" in modifiers:
        # What is added has as many bits as the product.
        numbers[2:] = [read_as(value, f"{types[-1][0]}64") for value in _keep_numbers(values[2:])]
    if name == "setp":
        comparison = _COMPARISONS.get(modifiers[0])
        # One that is combined with a further predicate has a part more.
        is_plain = comparison is not None and len(modifiers) == 2
        return int(comparison(*numbers)) if comparison and is_plain else None
    return _compute_number(name, modifiers, types, numbers)


def _keep_numbers(values: Sequence[Value]) -> list[int]:
    return [value for value in values if isinstance(value, int)]


def _compute_number(
    name: str, modifiers: Sequence[str], types: Sequence[str], numbers: Sequence[int]
) -> Value:
    operation = _OPERATIONS.get(name)
    if operation is None or (name in ("div", "rem") and not numbers[1]):
        return None
    bits = count_bits(types[0])
    if name in ("shl", "shr"):
        numbers = [numbers[0], min(numbers[1] & 0xFFFFFFFF, _MAX_SHIFT)]
    if "wide" in modifiers:
        bits *= 2
    result = operation(*numbers)
    if "hi" in modifiers:
        result >>= bits
    return result & ((1 << bits) - 1)


def _compute_address(name: str, values: Sequence[Value]) -> Value:
    """Return what becomes of an address that is moved, or that a number is added to."""
    if name in ("mov", "cvt"):
        return values[0]
    if name not in ("add", "sub") or None in values:
        return None
    one, other = values
    if isinstance(one, Address) and isinstance(other, Address):
        is_distance = name == "sub" and one.array == other.array
        return (one.offset - other.offset) & ((1 << _ADDRESS_BITS) - 1) if is_distance else None
    sign = -1 if name == "sub" else 1
    if isinstance(one, Address) and isinstance(other, int):
        return Address(one.array, one.offset + sign * read_as(other, "s64"))
    if name == "add" and isinstance(one, int) and isinstance(other, Address):
        return Address(other.array, other.offset + read_as(one, "s64"))
    return None
