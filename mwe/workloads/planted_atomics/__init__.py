"""Atomics of our own with no upstream code: one twin must fail, the other never.

Failing schedules of all that `explore` has with two threads::

    python -m mwe --workload planted-atomics --schedule explore --all

=================  ===========================  =========
workload           locks of add and sub         failing
=================  ===========================  =========
`planted-atomics`  one each                     44 of 222
`sound-atomics`    one for both                 0 of 190
=================  ===========================  =========

Measured on 2026-11-21 with CPython 3.11.7; each failure was a `wrong-result`.

Why: the shape is that of `atomics-add-sub`, whose silence means something only where
`planted-atomics` fails.
"""
