"""The local-array family: the shape of code in which the race was found, and its controls.

Failing trials of 200 under `delay`, `handoff` and `natural`, in the simulator::

    python -m mwe --workload local-array --schedule delay --trials 200 --seed 7

=====================  ============================================  ============  ===========
workload               device function                               numba 0.68.1  numba-cuda
                                                                                   0.30.4
=====================  ============================================  ============  ===========
`local-array`          in another module, calls cuda.local.array     179, 198, 0   0, 0, 0
`local-array-2d`       the same, in a block of two dimensions        173, 199, 0   0, 0, 0
`local-array-blocks`   the same, in three blocks                     182, 199, 0   0, 0, 0
`shared-array`         in another module, calls cuda.shared.array    118, 199, 0   0, 0, 0
`same-module`          in the kernel's module                        0, 0, 0       0, 0, 0
`helper-without-cuda`  in another module, no cuda.* at run time      0, 0, 0       0, 0, 0
`one-thread`           as `local-array`, one active thread           0, 0, 0       0, 0, 0
`no-threads`           as `local-array`, no active thread            0, 0, 0       0, 0, 0
=====================  ============================================  ============  ===========

Measured on 2026-11-21 with CPython 3.11.7 on two cores with 15 processes waiting for them, which
is why a hand-off may miss; numba 0.68.1 in two batches of 100, with seeds 7 and 8; numba-cuda on
numba 0.65.1. Each failure was a `missing-attribute` of an active thread: ``local``, or ``shared``
in `shared-array`. None was of the 25 threads of 32 that return early.

Why: each call of a device function swaps its module's global `cuda` for a fake and restores it on
return. Only when two threads are in device functions of one module at once can one restore the
real module under the other's feet; in the kernel's own module the launch has swapped it already,
before the threads started.
"""
