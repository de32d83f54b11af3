"""The controls of the judge of compiled kernels: a kernel of our own, damaged and as it is.

::

    python -m mwe --target compiler --workload planted-ptx

===============  ================================================================
workload         outcome on numba 0.57.1 and 0.68.1, numba-cuda 0.4.0 to 0.30.4
===============  ================================================================
`planted-ptx`    `wrong-result`: each of 13 damages was seen
`sound-ptx`      right
===============  ================================================================

Measured on 2026-11-21 with CPython 3.11.7.

The release at hand compiles the kernel, so that the damaged text has the form of its own compiler.
A damage that the judge does not see, or that finds no place in the text, is an error of the
harness: the release's other kernels are then not known to be right.
"""
