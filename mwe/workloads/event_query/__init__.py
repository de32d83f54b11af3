"""`Event.query`, on a device only: what a chunked transfer polls to learn that data has arrived.

Upstream's way of handing the event to the driver changed more than once: there are versions in
which `query` says yes whatever runs, and versions in which it raises a TypeError (pull request 747
of NVIDIA/numba-cuda). The workload polls an event behind a launch and a copy, takes the data as
soon as it is told that they are there, and judges answers and data.
"""
