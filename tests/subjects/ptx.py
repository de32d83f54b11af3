"""PTX in the form that NVIDIA's compiler gives it, of kernels with an array of each kind."""

from __future__ import annotations

import numpy as np

from mwe.compiler.judgement import Expectation, Footprint
from mwe.workloads.subject import Grid

TARGET = "sm_90"
N_THREADS = 4
_PARAMETERS = ",\n".join(f"\t.param .u64 kernel_param_{number}" for number in range(8))


def build_ptx(body, declared="", local=""):
    """Return the PTX of ``kernel(output, n_threads)`` with a body."""
    return f"""//
// Comments may have braces: {{ and .entry
.version 8.8
.target {TARGET}
.address_size 64

.common .global .align 8 .u64 _ZN08NumbaEnv6kernel;
{declared}
.visible .entry kernel(
{_PARAMETERS}
)
{{
\t{local}
\t.reg .pred \t%p<2>;
\t.reg .b64 \t%rd<52>;

\tld.param.u64 \t%rd4, [kernel_param_4];
\tld.param.u64 \t%rd6, [kernel_param_7];
\tmov.u32 \t%r1, %tid.x;
\tcvt.s64.s32 \t%rd3, %r1;
\tsetp.ge.s64 \t%p1, %rd3, %rd6;
\t@%p1 bra \t$L__BB0_2;

\tcvta.to.global.u64 \t%rd11, %rd4;
\tshl.b64 \t%rd12, %rd3, 3;
{body}
$L__BB0_2:
\tret;

}}
"""


# Thread i takes element i of a constant through a local and a shared array.
WHOLE = build_ptx(
    """\tmov.u64 \t%SPL, __local_depot0;
\tadd.u64 \t%rd1, %SPL, 0;
\tmov.u64 \t%rd14, _cudapy_cmem;
\tadd.s64 \t%rd15, %rd14, %rd12;
\tld.const.u64 \t%rd19, [%rd15];
\tld.const.u64 \t%rd20, [%rd14+24];
\tst.local.v2.u64 \t[%rd1+16], {%rd19, %rd20};
\tld.local.u64 \t%rd33, [%rd1+16];
\tmov.u64 \t%rd38, _cudapy_smem_1;
\tadd.s64 \t%rd39, %rd38, %rd12;
\tst.shared.u64 \t[%rd39], %rd33;
\tbar.sync \t0;
\tld.shared.u64 \t%rd47, [%rd39];
\tadd.s64 \t%rd51, %rd11, %rd12;
\tst.global.u64 \t[%rd51], %rd47;
""",
    declared=".visible .shared .align 8 .b8 _cudapy_smem_1[32];\n"
    ".const .align 8 .b8 _cudapy_cmem[32] = {1, 0, 0, 0, 0, 0, 0, 0, 2};",
    local=".local .align 16 .b8 \t__local_depot0[32];",
)


def expect(n_threads=N_THREADS, **footprint):
    """Return what a kernel is expected to be that writes so many int64 elements."""
    return Expectation(
        target=TARGET,
        footprint=Footprint(**footprint),
        arguments=(np.zeros(n_threads, np.int64), n_threads),
        # Two threads more, which return early.
        grid=Grid((1, 1, 1), (n_threads + 2, 1, 1)),
    )


EXPECTED = expect(shared_bytes=32, local_bytes=32, keeps_local=True)
