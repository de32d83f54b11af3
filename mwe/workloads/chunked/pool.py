"""A bounded pool of pinned buffers, each of one chunk."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import cuda

# A buffer comes back when a chunk is written; longer than this means that it never will.
ACQUIRE_TIMEOUT_S = 10.0


@dataclass(eq=False)
class ChunkBuffer:
    """A pinned array and who has it.

    Attributes
    ----------
    array_name
        The array that it was last acquired for.
    is_discarded
        Whether the pool forgets it when it comes back.
    """

    array: Any
    array_name: str
    is_in_use: bool = True
    is_discarded: bool = False


class ChunkBufferPool:
    """Buffers that are used again; safe to use from several threads.

    Parameters
    ----------
    max_buffers
        How many there may be at once, in use or free. Who asks for one more waits.
    acquire_timeout_s
        How long.
    make_array
        Makes an array of a shape and dtype; pinned memory by default.
    """

    def __init__(
        self,
        max_buffers: int,
        *,
        acquire_timeout_s: float = ACQUIRE_TIMEOUT_S,
        make_array: Callable[[tuple[int, ...], Any], Any] | None = None,
    ) -> None:
        if max_buffers < 1:
            raise ValueError(f"max_buffers is {max_buffers}, must be at least 1")
        self._max_buffers = max_buffers
        self._acquire_timeout_s = acquire_timeout_s
        self._make_array = make_array or cuda.pinned_array
        self._buffers: list[ChunkBuffer] = []
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
        dtype = np.dtype(dtype)
        with self._changed:
            if not self._changed.wait_for(self._has_room, self._acquire_timeout_s):
                raise TimeoutError(
                    f"no buffer for {array_name!r} within {self._acquire_timeout_s:g} s: all "
                    f"{self._max_buffers} are in use"
                )
            free = [each for each in self._buffers if not each.is_in_use]
            for buffer in free:
                if buffer.array.shape == tuple(shape) and buffer.array.dtype == dtype:
                    buffer.array_name, buffer.is_in_use = array_name, True
                    return buffer
            if len(self._buffers) >= self._max_buffers:
                self._buffers.remove(free[0])
            buffer = ChunkBuffer(self._make_array(tuple(shape), dtype), array_name)
            self._buffers.append(buffer)
            return buffer

    def release(self, buffer: ChunkBuffer) -> None:
        """Give a buffer back.

        Raises
        ------
        ValueError
            If it is not in use: somebody else may have it by now.
        """
        with self._changed:
            if not buffer.is_in_use:
                raise ValueError(f"the buffer of {buffer.array_name!r} was released twice")
            buffer.is_in_use = False
            if buffer.is_discarded:
                self._buffers.remove(buffer)
            self._changed.notify_all()

    def discard(self, buffer: ChunkBuffer) -> None:
        """Forget a buffer that may still be written: nobody gets it again."""
        with self._changed:
            buffer.is_in_use, buffer.is_discarded = False, True
            self._buffers.remove(buffer)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forget the free buffers; those in use are forgotten when they come back."""
        with self._changed:
            self._buffers = [each for each in self._buffers if each.is_in_use]
            for buffer in self._buffers:
                buffer.is_discarded = True
            self._changed.notify_all()

    @property
    def n_in_use(self) -> int:
        """Buffers that were acquired and not released."""
        with self._changed:
            return sum(each.is_in_use for each in self._buffers)

    @property
    def n_buffers(self) -> int:
        """Buffers that there are, in use or free."""
        with self._changed:
            return len(self._buffers)

    def _has_room(self) -> bool:
        is_full = len(self._buffers) >= self._max_buffers
        return not is_full or any(not each.is_in_use for each in self._buffers)
