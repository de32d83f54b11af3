"""Kernels that take their array from a device function, which has to be inlined for it.

Whether they compile, on any machine::

    python -m mwe --target compiler --workload returned-local-array

=========================  ==========================================  =========================
workload                   numba 0.57.1 and 0.68.1, numba-cuda 0.4.0   numba-cuda 0.20.1, 0.21.1
                           and 0.9.0                                   and 0.30.4
=========================  ==========================================  =========================
`returned-local-array`     refused                                     compiled
`returned-shared-array`    refused                                     compiled
`returned-argument`        compiled                                    compiled
`returned-without-inline`  refused                                     refused
=========================  ==========================================  =========================

Measured on 2026-11-21 with CPython 3.11.7; each refusal was an `exception`: ``TypingError: Only
accept returning of array passed into the function as argument``.

Why: `cuda.jit` takes ``inline`` as an argument of its own and leaves it out of what it hands on to
the dispatcher, so that nothing is inlined. Commit 9c727b0c of numba-cuda (pull request 181) hands
it on. The other families help themselves, see `mwe.workloads.inlining`.
"""
