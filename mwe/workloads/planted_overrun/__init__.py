"""The positive control on a device: a kernel that writes one element beyond its array.

::

    python -m mwe --target cuda --workload planted-overrun --trials 20

==================================  ==========================================================
where                               outcome
==================================  ==========================================================
a device                            not measured yet; each trial must be a `wrong-result`
no device                           exit status 3, ``no CUDA driver: libcuda.so.1 cannot be
                                    loaded``
guards as the kernel leaves them    `wrong-result`, ``out of bounds: element 12 of an array of
                                    12 was written`` (tests/mwe/workloads/test_device_paths.py)
==================================  ==========================================================

Observed on 2026-11-21 with CPython 3.11.7 and numba 0.68.1.

Why: a driver reports only a write that leaves every allocation, so each array lies between guard
elements. A batch of this control that does not fail says that the guards do not show such a
write, so that the silence of the other workloads means less than it seems to.
"""
