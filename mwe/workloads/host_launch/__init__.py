"""Two host threads launch a kernel at once.

Trials of 200 under `natural` that failed, and in which a launch was refused instead::

    python -m mwe --workload host-launch --schedule natural --trials 200

===================  ===================================  ==========  ===========
release              its simulator, given a launch        failing     refused
                     during another one                   (-index)    (-index)
===================  ===================================  ==========  ===========
numba 0.57.1         raises an AssertionError             0 (0)       200 (200)
numba 0.60.0         raises an AssertionError             0 (0)       200 (200)
numba 0.68.1         raises an AssertionError             0 (0)       200 (200)
numba-cuda 0.0.15    raises an AssertionError             0 (0)       200 (200)
numba-cuda 0.12.1    raises an AssertionError             0 (0)       200 (200)
numba-cuda 0.13.0    runs the kernel once                 200 (193)   0 (5)
numba-cuda 0.24.0    runs the kernel once                 199 (195)   0 (3)
numba-cuda 0.30.4    runs the kernel once                 200 (186)   0 (13)
===================  ===================================  ==========  ===========

Measured on 2026-11-21 with CPython 3.11.7 on two busy cores. `host-launch` fails as `wrong-result`:
a launch of 12 threads counts 1. `host-launch-index` fails as `exception`, because the thread that
launches has no index. Up to 6 of 200 failed as `missing-attribute` before 0.26.0: the launch that
runs as a device function puts the module's `cuda` back under the other one. Of the controls, with
the launches one after the other and with a lock around each, none of 2,000 trials failed.

Why: numba-cuda 0.13.0 takes whatever is called while a launch runs for a device function of that
launch (commit 1a137513), also if another host thread calls it. The check that refuses a launch
comes later and is no longer reached, except when the other launch begins in between. That it may be
refused is documented by the error and no failure; a launch without its effect is one.
"""
