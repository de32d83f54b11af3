"""A factory of kernels that capture an allocator from another module in their closure."""

from numba import cuda

__all__ = ["KernelFactory"]


class KernelFactory:
    """Build a kernel around the allocator of an allocator factory.

    Parameters
    ----------
    allocator_factory
        Anything with a ``build()`` that returns a device function without arguments.

    Raises
    ------
    TypeError
        If `allocator_factory` has no ``build()``.
    """

    def __init__(self, allocator_factory) -> None:
        if not callable(getattr(allocator_factory, "build", None)):
            raise TypeError(
                "allocator_factory must have a build() that returns a device function, "
                f"like AllocatorFactory; got {type(allocator_factory).__name__}"
            )
        self.allocator_factory = allocator_factory

    def build(self):
        """Return ``kernel(output, n_threads)``, which writes 1.0 to ``output[:n_threads]``."""
        allocate_buffer = self.allocator_factory.build()

        @cuda.jit
        def kernel(output, n_threads):
            i = cuda.grid(1)
            if i >= n_threads:
                return
            buffer = allocate_buffer()
            buffer[0] = 1.0
            output[i] = buffer[0]

        return kernel
