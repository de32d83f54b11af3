"""A minimal reproducer that stands alone: two modules and a pytest suite, without any harness.

Copy this folder anywhere and run::

    NUMBA_ENABLE_CUDASIM=1 python -m pytest reproducer

The allocator and the kernel must stay in two modules: in one, the race cannot occur. The suite is
correct code. On an affected version, 13 of its 15 cases fail each time with ``module 'numba.cuda'
has no attribute 'local'``, because it makes the simulated threads meet in the allocator; the other
two have no two threads that could meet. On a fixed version and on a device all 15 pass.
"""
