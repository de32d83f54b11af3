"""The mixed-atomics family: threads that change one element by atomics of different kinds.

Whether schedules fail of all that `explore` has with two threads, in the simulator of numba 0.68.1
and of numba-cuda 0.30.4::

    python -m mwe --workload atomics-add-sub --schedule explore --all

============================  ========================  ===========
workload                      kinds                     a schedule
============================  ========================  ===========
`atomics-add-sub`             add and sub               fails
`atomics-add-max`             add and max               fails
`atomics-add-inc`             add and inc               fails
`atomics-one-kind`            add alone                 none fails
`atomics-one-thread`          add, one active thread    none fails
`atomics-different-elements`  add and sub, an element   none fails
                              each
============================  ========================  ===========

Measured on 2026-11-21 with CPython 3.11.7; each failure was a `wrong-result`.
With twelve threads 117, 81 and 132 of 200 trials of the workloads failed on numba under `delay`,
and none under `natural`.

Why: each kind has a lock of its own in the simulator. An addition reads, adds and writes under one
lock; a subtraction that comes between under another is overwritten.
"""
