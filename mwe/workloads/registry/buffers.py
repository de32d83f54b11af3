"""What a buffer is: its size, and where it would like to live."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from mwe.workloads.registry import allocators


class Location(str, Enum):
    """Where a buffer lives, if it is not a slice of another."""

    SHARED = "shared"
    LOCAL = "local"


@dataclass(frozen=True, kw_only=True)
class CUDABuffer:
    """A buffer of a kernel. It does not know its owner.

    A persistent buffer keeps its content between calls; if it is local, too, it is a slice of the
    owner's persistent array.

    Raises
    ------
    ValueError
        If a setting makes no sense.
    """

    name: str  # unique among the owner's
    size: int  # elements, at least 0
    location: str  # a `Location`, or its text
    persistent: bool = False
    aliases: str | None = None  # the buffer of which it may be a slice
    precision: Any = np.float32  # a NumPy float type

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"a buffer's name is {self.name!r}, must be text that is not empty")
        if isinstance(self.size, bool) or not isinstance(self.size, (int, np.integer)):
            raise ValueError(f"buffer {self.name!r}: size must be a whole number of elements")
        if self.size < 0:
            raise ValueError(f"buffer {self.name!r}: size is {self.size}, must be 0 or more")
        if self.location not in list(Location):
            raise ValueError(
                f"buffer {self.name!r}: location is {self.location!r}, must be one of "
                f"{', '.join(location.value for location in Location)}"
            )
        if not isinstance(self.persistent, (bool, np.bool_)):
            raise ValueError(
                f"buffer {self.name!r}: persistent is {self.persistent!r}, must be True or False"
            )
        if self.aliases is not None and not isinstance(self.aliases, str):
            raise ValueError(
                f"buffer {self.name!r}: aliases is {self.aliases!r}, must be a name or None"
            )
        if self.aliases == self.name:
            raise ValueError(f"buffer {self.name!r} cannot alias itself")
        if not _is_float_type(self.precision):
            raise ValueError(f"buffer {self.name!r}: precision must be a NumPy float type")

    def build_allocator(
        self, shared_slice: slice | None, persistent_slice: slice | None, local_size: int | None
    ) -> Any:
        """Return the device function ``(shared, persistent) -> array`` of this buffer.

        The first of shared slice, persistent slice and local array that is given is what it
        returns; the choice is made now, not in the kernel.

        Raises
        ------
        ValueError
            If nothing is given.
        """
        if shared_slice is not None:
            return allocators.build_shared_allocator(shared_slice.start, shared_slice.stop)
        if persistent_slice is not None:
            start, stop = persistent_slice.start, persistent_slice.stop
            return allocators.build_persistent_allocator(start, stop)
        if local_size is None:
            raise ValueError(f"buffer {self.name!r} has no slice and no local size")
        return allocators.build_local_allocator(local_size, self.precision)


def _is_float_type(precision: Any) -> bool:
    try:
        # NumPy takes None for float64.
        return precision is not None and bool(np.issubdtype(np.dtype(precision), np.floating))
    except TypeError:
        return False
