"""A race of our own with no upstream code in it, which must fail, and its sound twin.

Failing trials of 200 under `delay`, `handoff` and `natural`::

    python -m mwe --workload planted-race --schedule delay --trials 200 --seed 7

==============  ===================================  ============  ===========
workload        swap of the helper's global          numba 0.68.1  numba-cuda
                                                     is installed  0.30.4 is
==============  ===================================  ============  ===========
`planted-race`  on each call, without a lock         184, 200, 0   195, 200, 0
`sound-swap`    by a count under one lock            0, 0, 0       0, 0, 0
==============  ===================================  ============  ===========

Measured on 2026-11-21 with CPython 3.11.7 on two busy cores. Each failure was a
`missing-attribute` of an active thread, ``local``.

Why: the shape is that of `local-array`, with a simulator of a few lines in the place of upstream's.
A batch of it that does not fail under `delay` says that the schedule does not bite on this
machine and Python, so that the silence of the other workloads means nothing.
"""
