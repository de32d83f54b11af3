"""Shared arrays of our own with no upstream code: one twin must fail, the other never.

Which schedules fail of all that `explore` has with two threads::

    python -m mwe --workload planted-split --schedule explore --all

===============  ============================  =========
workload         look-up, allocation, store    failing
===============  ============================  =========
`planted-split`  without a lock                some
`sound-split`    under one lock                none
===============  ============================  =========

Measured on 2026-11-21 with CPython 3.11.7; each failure was a `wrong-result`.

Why: the shape is that of `shared-split`, whose silence means something only where
`planted-split` fails.
"""
