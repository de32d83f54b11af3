"""The positive control on a device: a kernel that writes one element beyond its array.

A batch of it that does not fail says that the guards around arrays do not show such a write, so
that the silence of the other workloads means less than it seems to.
"""
