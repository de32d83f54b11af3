"""What instructions make of numbers and addresses, as PTX defines them."""

from __future__ import annotations

import pytest

from mwe.compiler.values import Address, compute

MINUS_ONE_32, MINUS_ONE_64 = 2**32 - 1, 2**64 - 1


@pytest.mark.parametrize(
    ("opcode", "values", "expected"),
    [
        ("mov.u32", [7], 7),
        ("add.s64", [MINUS_ONE_64, 3], 2),
        ("sub.s32", [2, 3], MINUS_ONE_32),
        ("mul.lo.s64", [MINUS_ONE_64, 5], 2**64 - 5),
        ("mul.wide.s32", [MINUS_ONE_32, 5], 2**64 - 5),
        ("mul.wide.u32", [MINUS_ONE_32, 2], 2**33 - 2),
        ("mul.hi.u32", [MINUS_ONE_32, 2], 1),
        ("mad.lo.s32", [3, 4, 5], 17),
        ("mad.wide.s32", [MINUS_ONE_32, 4, 2**40], 2**40 - 4),
        ("div.s64", [2**64 - 7, 2], 2**64 - 3),
        ("rem.s64", [2**64 - 7, 2], MINUS_ONE_64),
        ("div.u64", [7, 0], None),
        ("min.s64", [MINUS_ONE_64, 1], MINUS_ONE_64),
        ("max.u64", [MINUS_ONE_64, 1], MINUS_ONE_64),
        ("neg.s64", [1], MINUS_ONE_64),
        ("not.b64", [0], MINUS_ONE_64),
        ("and.b64", [0b110, 0b011], 0b010),
        ("shl.b64", [1, 3], 8),
        ("shl.b32", [1, 40], 0),
        ("shr.s64", [MINUS_ONE_64, 63], MINUS_ONE_64),
        ("shr.u64", [MINUS_ONE_64, 63], 1),
        ("cvt.s64.s32", [MINUS_ONE_32], MINUS_ONE_64),
        ("cvt.u32.u64", [2**32 + 5], 5),
        ("setp.lt.s64", [MINUS_ONE_64, 0], 1),
        ("setp.lt.u64", [MINUS_ONE_64, 0], 0),
        ("setp.lt.and.s64", [1, 2, 1], None),
        ("and.pred", [1, 0], 0),
        ("selp.b64", [4, 5, 0], 5),
        ("selp.b64", [4, 5, None], None),
        ("add.f64", [1, 2], None),
        ("cvt.rn.f32.s64", [1], None),
        ("add.s64", [None, 1], None),
        ("brev.b32", [1], None),
    ],
)
def test_a_number_is_computed_or_not_known(opcode, values, expected):
    """Numbers are patterns of bits, whose sign depends on the instruction."""
    assert compute(opcode, values) == expected


@pytest.mark.parametrize(
    ("opcode", "values", "expected"),
    [
        ("mov.u64", [Address("a", 8)], Address("a", 8)),
        ("cvta.to.global.u64", [Address("a", 8)], Address("a", 8)),
        ("add.s64", [Address("a", 8), 4], Address("a", 12)),
        ("add.s64", [2**64 - 16, Address("a", 8)], Address("a", -8)),
        ("sub.s64", [Address("a", 8), 16], Address("a", -8)),
        ("sub.s64", [Address("a", 8), Address("a", 16)], 2**64 - 8),
        ("sub.s64", [Address("a", 8), Address("b", 16)], None),
        ("sub.s64", [16, Address("a", 8)], None),
        ("selp.b64", [Address("a", 8), 0, 1], Address("a", 8)),
        ("and.b64", [Address("a", 8), 7], None),
        ("add.s64", [Address("a", 8), None], None),
    ],
)
def test_an_address_is_followed_or_not_known(opcode, values, expected):
    """An address goes on to be one of the same array, in front of it as well."""
    assert compute(opcode, values) == expected
