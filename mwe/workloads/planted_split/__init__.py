"""Shared arrays of our own with no upstream code: one twin must fail, the other never.

Failing schedules of all that `explore` has with two threads::

    python -m mwe --workload planted-split --schedule explore --all

===============  ============================  =========
workload         look-up, allocation, store    failing
===============  ============================  =========
`planted-split`  without a lock                64 of 378
`sound-split`    under one lock                0 of 350
===============  ============================  =========

Measured on 2026-11-21 with CPython 3.11.7; each failure was a `wrong-result`.

Why: the shape is that of `shared-split`, whose silence means something only where
`planted-split` fails.
"""
