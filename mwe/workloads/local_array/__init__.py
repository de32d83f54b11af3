"""The local-array family: the shape of code in which the race was found, and its controls.

=====================  ==========================================  =========================
workload               device function                             on affected revisions
=====================  ==========================================  =========================
`local-array`          in another module, calls cuda.local.array   fails (19 of 20 under delay
                                                                   injection)
`same-module`          in the kernel's module                      never fails
`helper-without-cuda`  in another module, no cuda.* at run time    never fails
`one-thread`           as `local-array`, one active thread         never fails
=====================  ==========================================  =========================

Why: each call of a device function swaps its module's global `cuda` for a fake and restores it on
return. Only when two threads are in device functions of one module at once can one restore the
real module under the other's feet; in the kernel's own module the launch has swapped it already,
before the threads started.
"""
