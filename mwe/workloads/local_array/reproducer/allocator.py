"""A factory of device functions that allocate a local array, in a module of its own."""

import numpy as np
from numba import cuda

__all__ = ["AllocatorFactory"]


class AllocatorFactory:
    """Build a device function that allocates a local array of a fixed size.

    Parameters
    ----------
    buffer_size : int
        Elements of the array, at least 1.

    Raises
    ------
    TypeError
        If `buffer_size` is not a whole number.
    ValueError
        If `buffer_size` is not positive.
    """

    def __init__(self, buffer_size: int) -> None:
        if isinstance(buffer_size, bool) or not isinstance(buffer_size, (int, np.integer)):
            raise TypeError(f"buffer_size must be a whole number, got {buffer_size!r}")
        if buffer_size <= 0:
            raise ValueError("buffer_size must be positive")
        self.buffer_size = buffer_size

    def build(self):
        """Return the device function ``allocate_buffer()``, which returns a float32 array.

        The size is a compile-time constant in its closure.
        """
        buffer_size = self.buffer_size

        @cuda.jit(device=True, inline=True)
        def allocate_buffer():
            return cuda.local.array(buffer_size, dtype=np.float32)

        return allocate_buffer
