"""The shared-split family: threads of one block that read what their neighbours wrote.

Whether schedules fail of all that `explore` has with two threads, in the simulator of numba 0.68.1
and of numba-cuda 0.30.4::

    python -m mwe --workload shared-split --schedule explore --all

==========================  ======================================  ===========
workload                    shared arrays                           a schedule
==========================  ======================================  ===========
`shared-split`              one, which the kernel allocates         fails
`shared-split-helper`       one, of a device function in another    fails
                            module
`shared-split-several`      two, which the kernel allocates         fails
`shared-split-one-thread`   as `shared-split`, one active thread    none fails
`shared-split-own-element`  each thread reads its own element only  none fails
==========================  ======================================  ===========

Measured on 2026-11-21 with CPython 3.11.7. Each failure was a `wrong-result`. Only in
`shared-split-helper` on numba, whose device function meets the race of the local-array family as
well, half were a `missing-attribute`. With twelve threads 1 of 200 trials of
`shared-split` failed on numba under `delay`, and none under `natural`.

Why: the simulator looks a block's array up by the line that asks for it, allocates one if there is
none, and stores it, without a lock. A thread that is stopped between look-up and store then has
an array that nobody else has, and reads from it what its neighbours never wrote.
"""
