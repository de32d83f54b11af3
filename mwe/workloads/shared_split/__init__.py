"""The shared-split family: threads of one block that read what their neighbours wrote.

Failing schedules of all that `explore` has with two threads, in the simulator::

    python -m mwe --workload shared-split --schedule explore --all

==========================  ======================================  ============  ============
workload                    shared arrays                           numba 0.68.1  numba-cuda
                                                                                  0.30.4
==========================  ======================================  ============  ============
`shared-split`              one, which the kernel allocates         120 of 1,438  120 of 1,438
`shared-split-helper`       one, of a device function in another    460 of 5,278  109 of the
                            module                                                first 2,776
`shared-split-several`      two, which the kernel allocates         152 of 2,054  152 of 2,054
`shared-split-one-thread`   as `shared-split`, one active thread    0 of 307      0 of 307
`shared-split-own-element`  each thread reads its own element only  0 of 1,438    0 of 1,438
==========================  ======================================  ============  ============

Measured on 2026-11-21 with CPython 3.11.7 on two busy cores. Each failure was a `wrong-result`.
Only in `shared-split-helper` on numba, whose device function meets the race of the local-array
family as well, 240 were a `missing-attribute`. With twelve threads 1 of 200 trials of
`shared-split` failed on numba under `delay`, and none under `natural`.

Why: the simulator looks a block's array up by the line that asks for it, allocates one if there is
none, and stores it, without a lock. A thread that is stopped between look-up and store then has
an array that nobody else has, and reads from it what its neighbours never wrote.
"""
