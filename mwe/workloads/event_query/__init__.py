"""`Event.query`, on a device only: what a chunked transfer polls to learn that data has arrived.

::

    python -m mwe --target cuda --workload event-query --trials 300

====================================================  ========================================
what the event does                                   outcome
====================================================  ========================================
answers with bools, yes when the data are there       passes
answers yes before the copy was made                  `wrong-result`
answers with something else than a bool               `wrong-result`
says no after it was waited for                       `wrong-result`
raises, because the driver wants another type         `exception`
never completes                                       `exception`, after 10 s
====================================================  ========================================

Observed on 2026-11-21 with CPython 3.11.7 and numba 0.68.1, with answers that
tests/mwe/workloads/test_device_paths.py plants in the simulator's events. No device was at hand,
so upstream's own answers are not measured yet.

Why: upstream's way of handing the event to the driver changed more than once. There are versions
in which `query` says yes whatever runs, and versions in which it raises a TypeError (pull request
747 of NVIDIA/numba-cuda). The workload polls an event behind a launch and a copy, takes the data as
soon as it is told that they are there, and judges answers and data.
"""
