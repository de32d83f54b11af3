"""Batches larger than a device, processed in chunks with pinned buffers and a write-back thread.

`pool` keeps the buffers, `watcher` writes back what is finished, `transfers` cuts a batch of runs
into chunks, `allocator` and `kernels` are what is launched, `subjects` the workloads.
"""
