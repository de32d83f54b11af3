"""Workloads: programs in the shape of the code that suffers from a defect, and their controls.

A workload is a function in the module `subjects` of its family, a package here. Which there are
stands with the defect that they are for, in `mwe.defects`.
"""
