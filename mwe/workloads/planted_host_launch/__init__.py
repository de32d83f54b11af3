"""The controls of `host-launch` without upstream code, one of which must fail.

Failing trials of 200 under `natural`, and of the schedules of two threads with at most two forced
switches under `explore`::

    python -m mwe --workload planted-host-launch --schedule natural --trials 200

=====================  ===============================  =========  ============
workload               launch during another one        `natural`  `explore`
=====================  ===============================  =========  ============
`planted-host-launch`  runs the kernel once             200        the first
`sound-host-launch`    waits for the other's end        0          none
=====================  ===============================  =========  ============

Measured on 2026-11-21 with CPython 3.11.7 on two busy cores.

Why: a batch of the planted one that does not fail says that the two launches do not overlap on this
machine, so that the silence of the workloads means nothing.
"""
