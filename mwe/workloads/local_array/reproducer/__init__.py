"""A minimal reproducer that stands alone: two modules and a pytest suite, without any harness.

Copy this folder anywhere and run::

    NUMBA_ENABLE_CUDASIM=1 python -m pytest reproducer

The allocator and the kernel must stay in two modules: in one, the race cannot occur. The suite is
correct code; on an affected version it fails less than once in thousands of runs with
``module 'numba.cuda' has no attribute 'local'``.
"""
