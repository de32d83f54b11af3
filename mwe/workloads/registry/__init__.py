"""A buffer registry: where each buffer of a kernel lives is chosen before the kernel is compiled.

Failing trials of 200 under `delay`, `handoff` and `natural`, in the simulator::

    python -m mwe --workload registry-local --schedule delay --trials 200 --seed 7

=====================  ============================================  ============  ===========
workload               arrays of the three buffers                   numba 0.68.1  numba-cuda
                                                                                   0.30.4
=====================  ============================================  ============  ===========
`registry-local`       cuda.local.array in the allocators' module    200, 198, 0   0, 0, 0
`registry-shared`      slices of a helper's cuda.shared.array        122, 200, 0   0, 0, 0
`registry-mixed`       both of these, and a slice of a local array   193, 200, 0   0, 0, 0
                       of the kernel's own
`registry-persistent`  slices of arrays of the kernel's own          0, 0, 0       0, 0, 0
=====================  ============================================  ============  ===========

Measured on 2026-11-21 with CPython 3.11.7 on two busy cores; numba-cuda ran on numba 0.65.1. Each
failure was a `missing-attribute` of an active thread: ``local`` or ``shared``.

Why: allocators and helper lie in another module than the kernel, so each call swaps the global
`cuda` there. An allocator that only takes a slice swaps it as well, but uses nothing of it, so it
cannot fail.

A buffer in the wrong place, or an array that is too small for its buffers, is a `wrong-result`; to
find it takes neither a second thread nor bounds checks, which a device does not have
(tests/mwe/workloads/test_registry_subjects.py plants both).
"""
