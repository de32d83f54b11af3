"""The reproducer: batches of trials of a race in Numba's CUDA simulator.

Run ``python -m mwe --help``. It needs numpy and numba, and nothing of Fixwatch.
"""
