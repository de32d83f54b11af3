"""Batches larger than a device, processed in chunks with pinned buffers and a write-back thread.

Failing trials of 200 under `delay`, `handoff` and `natural`, in the simulator::

    python -m mwe --workload chunked-local --schedule delay --trials 200 --seed 7

===============  ==================================================  ============  ===========
workload         kernel of a chunk                                   numba 0.68.1  numba-cuda
                                                                                   0.30.4
===============  ==================================================  ============  ===========
`chunked-local`  takes its working array from a helper's             200, 200, 0   0, 0, 0
                 cuda.local.array in another module
`chunked-plain`  computes the same without a helper                  0, 0, 0       0, 0, 0
===============  ==================================================  ============  ===========

Measured on 2026-11-21 with CPython 3.11.7 on two busy cores; numba-cuda ran on numba 0.65.1. Each
failure was a `missing-attribute` of an active thread, ``local``.

Why: a trial launches three chunks, and in each the helper is that of `local-array`, so the race has
three chances. Without a helper no global is swapped while threads run, whatever the transfers do.

Beside the arrays in chunks lie status codes, an element a chunk. They have no run axis, so they are
never cut: copied to the device once, given whole to each launch, and copied back behind the last.
"""
