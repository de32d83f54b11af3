"""A buffer registry: where each buffer of a kernel lives is chosen before the kernel is compiled.

`buffers` says what a buffer is, `groups` lays out those of an owner, `registry` finds the owner's
group, `allocators` builds the device functions. The workloads stand in `subjects`: allocators that
call `cuda.local.array`, or a helper that calls `cuda.shared.array`, hit the race because they lie
in another module than the kernel; slices of arrays that the kernel made itself do not.
"""
