"""Atomics of our own with no upstream code: one twin must fail, the other never.

Which schedules fail of all that `explore` has with two threads::

    python -m mwe --workload planted-atomics --schedule explore --all

=================  ===========================  =========
workload           locks of add and sub         failing
=================  ===========================  =========
`planted-atomics`  one each                     some
`sound-atomics`    one for both                 none
=================  ===========================  =========

Measured on 2026-11-21 with CPython 3.11.7; each failure was a `wrong-result`.

Why: the shape is that of `atomics-add-sub`, whose silence means something only where
`planted-atomics` fails.
"""
