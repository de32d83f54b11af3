"""The buffers of one owner, and how they lie in its memories.

A layout is the source of truth for a size: it is the largest end of a slice, never a sum.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import numpy as np

from mwe.workloads.registry.buffers import CUDABuffer


class Memory(Enum):
    """Where a buffer ends up."""

    SHARED = "shared"
    PERSISTENT = "persistent"
    LOCAL = "local"


@dataclass(frozen=True)
class _Layouts:
    """A slice for each shared and persistent buffer, elements for each local one."""

    shared: dict[str, slice]
    persistent: dict[str, slice]
    local: dict[str, int]


class BufferGroup:
    """The buffers of a parent, in the order in which they were registered.

    A buffer that aliases another becomes a slice of it where the other is not too full, has its
    precision and lies in a memory that serves both: first come, first served. Else it is allocated
    by its own settings. The shared and the persistent array are of one precision each, which is
    the caller's to keep.
    Layouts are built when they are asked for, kept, and dropped on any change.
    """

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self._buffers: dict[str, CUDABuffer] = {}
        self._layouts: _Layouts | None = None

    @property
    def buffers(self) -> Mapping[str, CUDABuffer]:
        """The buffers by name."""
        return dict(self._buffers)

    def register(
        self,
        name: str,
        size: int,
        location: str,
        *,
        persistent: bool = False,
        aliases: str | None = None,
        precision: Any = np.float32,
    ) -> CUDABuffer:
        """Add a buffer.

        Raises
        ------
        ValueError
            If there is one of that name, the target of the alias is not registered, or a setting
            makes no sense.
        """
        buffer = CUDABuffer(
            name=name,
            size=size,
            location=location,
            persistent=persistent,
            aliases=aliases,
            precision=precision,
        )
        if name in self._buffers:
            raise ValueError(f"there is a buffer {name!r} already; update it, or choose a name")
        self._check_alias(buffer)
        self._buffers[name] = buffer
        self.clear_layout()
        return buffer

    def update_buffer(self, name: str, /, **changes: Any) -> CUDABuffer:
        """Change settings of a buffer, but its name.

        Raises
        ------
        KeyError
            If there is no such buffer.
        ValueError
            If the result makes no sense, or aliases would lead in a circle.
        """
        if "name" in changes:
            raise ValueError("a buffer keeps its name; register another one")
        try:
            buffer = replace(self._find(name), **changes)
        except TypeError as error:
            raise ValueError(
                f"buffer {name!r} has no such setting: {', '.join(changes)}"
            ) from error
        self._check_alias(buffer)
        self._buffers[name] = buffer
        self.clear_layout()
        return buffer

    def clear_layout(self) -> None:
        """Drop the layouts; they are built anew when they are asked for."""
        self._layouts = None

    def build_shared_layout(self) -> dict[str, slice]:
        """Return the slice of each buffer that lies in shared memory."""
        return dict(self._build().shared)

    def build_persistent_layout(self) -> dict[str, slice]:
        """Return the slice of each buffer that lies in the persistent array."""
        return dict(self._build().persistent)

    def build_local_sizes(self) -> dict[str, int]:
        """Return the elements, at least 1, of each buffer that is a local array of its own."""
        return dict(self._build().local)

    def shared_buffer_size(self) -> int:
        """Return the elements of shared memory that the layout needs."""
        return _largest_end(self._build().shared)

    def persistent_local_buffer_size(self) -> int:
        """Return the elements of the persistent array that the layout needs."""
        return _largest_end(self._build().persistent)

    def local_buffer_size(self) -> int:
        """Return the elements of all local arrays together; they lie one after another."""
        return _largest_end(_lay_end_to_end(self._build().local))

    def get_allocator(self, name: str) -> Callable[..., Any]:
        """Return the device function of a buffer.

        Raises
        ------
        KeyError
            If there is no such buffer.
        """
        buffer, layouts = self._find(name), self._build()
        return buffer.build_allocator(
            layouts.shared.get(name), layouts.persistent.get(name), layouts.local.get(name)
        )

    def _find(self, name: str) -> CUDABuffer:
        try:
            return self._buffers[name]
        except KeyError:
            raise KeyError(f"no buffer {name!r}; registered are {list(self._buffers)}") from None

    def _check_alias(self, buffer: CUDABuffer) -> None:
        target = buffer.aliases
        if target is not None and target not in self._buffers:
            raise ValueError(f"buffer {buffer.name!r} aliases {target!r}, which is not registered")
        while target is not None:
            if target == buffer.name:
                raise ValueError(f"buffer {buffer.name!r} would alias itself in a circle")
            target = self._buffers[target].aliases

    def _build(self) -> _Layouts:
        if self._layouts is None:
            self._layouts = _Placement(self._buffers).layouts
        return self._layouts


class _Placement:
    """Places each buffer once, those that are aliased before those that alias them."""

    def __init__(self, buffers: Mapping[str, CUDABuffer]) -> None:
        self._buffers = buffers
        self._memories: dict[str, Memory] = {}
        # Elements of each buffer that are slices of it already, and the end of each memory.
        self._consumed = dict.fromkeys(buffers, 0)
        self._ends = {Memory.SHARED: 0, Memory.PERSISTENT: 0}
        self._slices: dict[Memory, dict[str, slice]] = {memory: {} for memory in self._ends}
        self._local: dict[str, int] = {}
        for name in buffers:
            self._place(name)
        self.layouts = _Layouts(
            self._slices[Memory.SHARED], self._slices[Memory.PERSISTENT], self._local
        )

    def _place(self, name: str) -> None:
        if name in self._memories:
            return
        buffer = self._buffers[name]
        if buffer.aliases is not None:
            self._place(buffer.aliases)
            if self._place_in_parent(buffer, buffer.aliases):
                return
        if buffer.is_shared:
            self._append(buffer, Memory.SHARED)
        elif buffer.is_persistent_local:
            self._append(buffer, Memory.PERSISTENT)
        else:
            self._memories[name] = Memory.LOCAL
            self._local[name] = max(1, buffer.size)

    def _place_in_parent(self, buffer: CUDABuffer, parent: str) -> bool:
        """Make a buffer a slice of its parent, if that serves and has room; say whether it did.

        Shared memory serves every buffer. The persistent array is a thread's own, so it serves
        none that is to be shared; an array of the parent's own allocator can serve nobody else.
        """
        memory = self._memories[parent]
        serves = memory is Memory.SHARED or (memory is Memory.PERSISTENT and not buffer.is_shared)
        # Elements of another precision would be read as something else.
        serves = serves and np.dtype(buffer.precision) == np.dtype(self._buffers[parent].precision)
        start = self._consumed[parent]
        if not serves or start + buffer.size > self._buffers[parent].size:
            return False
        self._consumed[parent] += buffer.size
        offset = self._slices[memory][parent].start + start
        self._memories[buffer.name] = memory
        self._slices[memory][buffer.name] = slice(offset, offset + buffer.size)
        return True

    def _append(self, buffer: CUDABuffer, memory: Memory) -> None:
        start = self._ends[memory]
        self._ends[memory] += buffer.size
        self._memories[buffer.name] = memory
        self._slices[memory][buffer.name] = slice(start, start + buffer.size)


def _largest_end(layout: Mapping[str, slice]) -> int:
    return max((each.stop for each in layout.values()), default=0)


def _lay_end_to_end(sizes: Mapping[str, int]) -> dict[str, slice]:
    layout, end = {}, 0
    for name, size in sizes.items():
        layout[name] = slice(end, end + size)
        end += size
    return layout
