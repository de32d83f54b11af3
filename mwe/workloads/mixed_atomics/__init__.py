"""The mixed-atomics family: threads that change one element by atomics of different kinds.

Failing schedules of all that `explore` has with two threads, in the simulator::

    python -m mwe --workload atomics-add-sub --schedule explore --all

============================  ========================  ============  ===========
workload                      kinds                     numba 0.68.1  numba-cuda
                                                                      0.30.4
============================  ========================  ============  ===========
`atomics-add-sub`             add and sub               76 of 686     76 of 686
`atomics-add-max`             add and max               95 of 649     95 of 649
`atomics-add-inc`             add and inc               78 of 723     78 of 723
`atomics-one-kind`            add alone                 0 of 418      0 of 418
`atomics-different-elements`  add and sub, an element   0 of 686      0 of 686
                              each
============================  ========================  ============  ===========

Measured on 2026-11-21 with CPython 3.11.7 on two busy cores; each failure was a `wrong-result`.
With twelve threads 117, 81 and 132 of 200 trials of the workloads failed on numba under `delay`,
and none under `natural`.

Why: each kind has a lock of its own in the simulator. An addition reads, adds and writes under one
lock; a subtraction that comes between under another is overwritten.
"""
