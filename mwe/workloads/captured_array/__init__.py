"""Kernels that capture an array, which the compiler makes a constant.

What the compiled kernel reads, on any machine::

    python -m mwe --target compiler --workload captured-reversed-array

=========================  =========================  ====================================
workload                   what is captured           numba 0.57.1 and 0.68.1,
                                                      numba-cuda 0.4.0 to 0.20.1
=========================  =========================  ====================================
`captured-reversed-array`  ``values[::-1]``           in front of the constant
`captured-strided-array`   ``values[::2]``            behind the constant
`captured-array`           a copy of ``[::-1]``       the constant
=========================  =========================  ====================================

numba-cuda 0.21.1 and 0.30.4 read the constant in each. Measured on 2026-11-21 with CPython 3.11.7;
each failure was a `wrong-result`. No device was at hand to show what such a read returns.

Why: the constant has the elements in the order of the view, one behind the other, but the kernel
goes from one to the next by the strides of the view. Commit 5389798f of numba-cuda (pull
request 589) makes a view that is not contiguous a copy first.
"""
