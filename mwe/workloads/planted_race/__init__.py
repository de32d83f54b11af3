"""The positive control: a race of our own with no upstream code in it, which must fail.

A batch of it that does not fail under `delay` says that the schedule does not bite on this
machine and Python, so that the silence of the other workloads means nothing.
"""
