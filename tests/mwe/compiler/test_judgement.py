"""The judge of compiled kernels: what it must catch, and what it must never flag."""

from __future__ import annotations

import pytest

from mwe.compiler.judgement import describe_fault
from mwe.errors import HarnessError
from mwe.workloads.planted_ptx.damages import DAMAGES
from tests.subjects.ptx import EXPECTED, WHOLE, build_ptx, expect

READS = "\tadd.s64 \t%rd51, %rd11, %rd12;\n\tst.global.u64 \t[%rd51{offset}], %rd3;\n"


def test_a_whole_kernel_has_no_fault():
    """Early returns, vectors, arrays of each kind and comments are nothing wrong."""
    assert describe_fault(WHOLE, EXPECTED) == ""


def test_there_are_ten_ways_of_damage_at_least():
    """Each has a name that a sentence can use."""
    assert len(DAMAGES) >= 10


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_judged_wrong(name):
    """The text is another one, and the fault is told in one line."""
    damaged = DAMAGES[name](WHOLE)
    assert damaged != WHOLE
    fault = describe_fault(damaged, EXPECTED)
    assert fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("another target", "the output is for sm_35, expected sm_90"),
        ("a target that is left out", "the output is for no target"),
        ("a kernel that is there twice", "the output has 2 kernels, expected 1"),
        ("a kernel that is a device function", "the output has 0 kernels, expected 1"),
        ("an output that is cut short", "the output is cut short"),
        ("a local array that is too small", "24 bytes of local arrays are declared, expected 32"),
        ("a shared array that is not there", "0 bytes of shared arrays are declared, expected 32"),
        (
            "a constant that is too small",
            "the kernel reads 8 bytes at 24 of the const array _cudapy_cmem, which has 24",
        ),
        (
            "a read in front of a constant",
            "the kernel reads 8 bytes at -8 of the const array _cudapy_cmem, which has 32 "
            "(and 2 more)",
        ),
        ("a write outside of an argument", "the kernel writes 8 bytes at 1000 of argument 0"),
    ],
)
def test_the_fault_says_what_was_found(name, said):
    """Who reads it needs no PTX to understand it."""
    assert describe_fault(DAMAGES[name](WHOLE), EXPECTED).startswith(said)


def test_the_last_element_of_an_argument_is_inside_and_the_next_one_is_not():
    """The number of bytes that an access has counts."""
    assert describe_fault(build_ptx(READS.format(offset="")), expect()) == ""
    fault = describe_fault(build_ptx(READS.format(offset="+8")), expect())
    assert fault == "the kernel writes 8 bytes at 32 of argument 0, which has 32"


def test_threads_that_return_early_do_not_count():
    """What a thread behind the active ones would have read is never read."""
    one_more = WHOLE.replace("setp.ge.s64", "setp.gt.s64")
    assert "at 32 of the const array" in describe_fault(one_more, EXPECTED)


def test_a_local_array_may_lie_in_registers_unless_an_index_chooses_the_element():
    """Where it may, none or as much as the kernel asks for is right, and more is wrong."""
    without = build_ptx(READS.format(offset=""))
    assert describe_fault(without, expect(local_bytes=32)) == ""
    assert "expected 32" in describe_fault(without, expect(local_bytes=32, keeps_local=True))
    assert "expected at most 16" in describe_fault(WHOLE, expect(shared_bytes=32, local_bytes=16))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("\tld.global.u64 \t%rd20, [%rd11];\n\tst.global.u64 \t[%rd20], %rd3;\n", "the place"),
        ("\tcall.uni \n\tother, \n\t(\n\t%rd3\n\t);\n", "a function that was not inlined"),
        ("\ttrap;\n", "what trap does"),
        ("\tbrx.idx \t%r1, $L_targets;\n", "what brx.idx does"),
        ("\tcp.async.ca.shared.global \t[%rd3], [%rd11], 4;\n", "what cp.async"),
        ("\tbar.red.popc.u32 \t%r1, 0, %p1;\n", "what bar.red.popc.u32 does"),
        ("$L__BB0_1:\n\tbra.uni \t$L__BB0_1;\n", "has not ended after 5,000 instructions"),
        ("\tld.global.u64 \t%rd20, [%rd11];\n\tsetp.ne.s64 \t%p1, %rd20, 0;\n\t@%p1 ret;\n", "not"),
    ],
)
def test_a_kernel_that_cannot_be_followed_is_not_right(body, said):
    """Of what is not known nothing is stated: the harness failed, not the compiler."""
    with pytest.raises(HarnessError, match=f"cannot be followed: .*{said}"):
        describe_fault(build_ptx(body), expect())


def test_a_kernel_with_other_parameters_cannot_be_followed():
    """An upstream that handed arrays over in another way would say nothing about them."""
    with pytest.raises(HarnessError, match="7 parameters, where 8 were expected"):
        describe_fault(WHOLE.replace(",\n\t.param .u64 kernel_param_6", ""), EXPECTED)


def test_what_is_outside_is_seen_before_a_thread_is_lost():
    """A loop without end says nothing good, but what it did is known."""
    loop = f"$L__BB0_1:\n{READS.format(offset='+1000')}\tbra.uni \t$L__BB0_1;\n"
    assert "at 1000 of argument 0" in describe_fault(build_ptx(loop), expect())


def test_a_register_may_be_written_by_what_reads_it():
    """A loop counts so, and an address may make room for what lies there."""
    counts = (
        "\tmov.u64 \t%rd52, -3;\n$L__BB0_1:\n\tadd.s64 \t%rd52, %rd52, 1;\n"
        "\tsetp.ne.s64 \t%p1, %rd52, 0;\n\t@%p1 bra \t$L__BB0_1;\n"
    )
    loads = "\tadd.s64 \t%rd51, %rd11, %rd12;\n\tld.global.u64 \t%rd51, [%rd51];\n"
    assert describe_fault(build_ptx(counts + loads), expect()) == ""


def test_a_thread_may_pass_over_what_is_not_known():
    """Upstream's checks end in a trap that no thread of the launch meets."""
    body = "\tsetp.ge.s64 \t%p1, %rd3, 100;\n\t@%p1 trap;\n" + READS.format(offset="")
    assert describe_fault(build_ptx(body), expect()) == ""
