"""A bounded pool of pinned buffers, each of one chunk."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda

# A buffer comes back when a chunk is written; longer than this means that it never will.
ACQUIRE_TIMEOUT_S = 10.0


@dataclass(eq=False)
class ChunkBuffer:
    """A pinned array, and the name of the array that it was last acquired for."""

    array: Any
    array_name: str


class ChunkBufferPool:
    """Buffers that are used again; safe to use from several threads.

    There are at most `max_buffers`, in use or free. Who asks for one more waits for at most
    `acquire_timeout_s`.
    """

    def __init__(self, max_buffers: int, *, acquire_timeout_s: float = ACQUIRE_TIMEOUT_S) -> None:
        if max_buffers < 1:
            raise ValueError(f"max_buffers is {max_buffers}, must be at least 1")
        self._max_buffers = max_buffers
        self._acquire_timeout_s = acquire_timeout_s
        self._free: list[ChunkBuffer] = []
        self._in_use: list[ChunkBuffer] = []
        self._changed = threading.Condition()

    def acquire(self, array_name: str, shape: tuple[int, ...], dtype: Any) -> ChunkBuffer:
        """Return a free buffer of exactly this shape and dtype, else a new one.

        Where the pool is full, a free buffer of another shape makes room; with none free, it
        waits for one.

        Raises
        ------
        TimeoutError
            If none comes back in time.
        """
        shape, dtype = tuple(shape), np.dtype(dtype)
        with self._changed:
            if not self._changed.wait_for(self._has_room, self._acquire_timeout_s):
                raise TimeoutError(
                    f"no buffer for {array_name!r} within {self._acquire_timeout_s:g} s: all "
                    f"{self._max_buffers} are in use"
                )
            for buffer in self._free:
                if (buffer.array.shape, buffer.array.dtype) == (shape, dtype):
                    buffer.array_name = array_name
                    self._free.remove(buffer)
                    break
            else:
                if len(self._free) + len(self._in_use) >= self._max_buffers:
                    del self._free[0]
                buffer = ChunkBuffer(cuda.pinned_array(shape, dtype), array_name)
            self._in_use.append(buffer)
            return buffer

    def release(self, buffer: ChunkBuffer) -> None:
        """Give a buffer back.

        Raises
        ------
        ValueError
            If it is not in use: somebody else may have it by now.
        """
        with self._changed:
            if buffer not in self._in_use:
                raise ValueError(f"the buffer of {buffer.array_name!r} was released twice")
            self._in_use.remove(buffer)
            self._free.append(buffer)
            self._changed.notify_all()

    def discard(self, buffer: ChunkBuffer) -> None:
        """Forget a buffer that may still be written: nobody gets it again."""
        with self._changed:
            self._in_use.remove(buffer)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget the free buffers; those in use are free again once they come back."""
        with self._changed:
            self._free.clear()
            self._changed.notify_all()

    @property
    def n_in_use(self) -> int:
        """Buffers that were acquired and not released."""
        with self._changed:
            return len(self._in_use)

    def _has_room(self) -> bool:
        return bool(self._free) or len(self._in_use) < self._max_buffers
