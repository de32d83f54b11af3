"""The buffers of one owner, and how they lie in its memories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from mwe.workloads.registry.buffers import CUDABuffer, Location


class BufferGroup:
    """The buffers of a parent, in the order in which they were registered.

    Layouts are built when they are asked for, kept, and dropped on any change. They are the source
    of truth for a size: it is the largest end of a slice, never a sum. The shared and the
    persistent array are of one precision each, which is the caller's to keep.
    """

    def __init__(self, parent: Any) -> None:
        self.parent = parent
        self._buffers: dict[str, CUDABuffer] = {}
        self._layouts: _Layouts | None = None

    def register(self, name: str, size: int, location: str, **settings: Any) -> CUDABuffer:
        """Add a buffer, with further settings as `CUDABuffer` has them.

        Raises
        ------
        ValueError
            If there is one of that name, the target of the alias is not registered, or a setting
            makes no sense.
        """
        buffer = CUDABuffer(name=name, size=size, location=location, **settings)
        if name in self._buffers:
            raise ValueError(f"there is a buffer {name!r} already; update it, or choose a name")
        return self._put(buffer)

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
        return self._put(replace(self._find(name), **changes))

    def clear_layout(self) -> None:
        """Drop the layouts; they are built anew when they are asked for."""
        self._layouts = None

    def build_shared_layout(self) -> dict[str, slice]:
        """Return the slice of each buffer that lies in shared memory."""
        return dict(self._lay_out().shared)

    def build_persistent_layout(self) -> dict[str, slice]:
        """Return the slice of each buffer that lies in the persistent array."""
        return dict(self._lay_out().persistent)

    def build_local_sizes(self) -> dict[str, int]:
        """Return the elements, at least 1, of each buffer that is a local array of its own."""
        return dict(self._lay_out().local)

    def shared_buffer_size(self) -> int:
        """Return the elements of shared memory that the layout needs."""
        return _find_end(self._lay_out().shared)

    def persistent_local_buffer_size(self) -> int:
        """Return the elements of the persistent array that the layout needs."""
        return _find_end(self._lay_out().persistent)

    def local_buffer_size(self) -> int:
        """Return the elements of all local arrays together: no two of them overlap."""
        return sum(self._lay_out().local.values())

    def get_allocator(self, name: str) -> Any:
        """Return the device function of a buffer; a `KeyError` if there is no such buffer."""
        buffer, layouts = self._find(name), self._lay_out()
        return buffer.build_allocator(
            layouts.shared.get(name), layouts.persistent.get(name), layouts.local.get(name)
        )

    def _find(self, name: str) -> CUDABuffer:
        try:
            return self._buffers[name]
        except KeyError:
            raise KeyError(f"no buffer {name!r}; registered are {list(self._buffers)}") from None

    def _put(self, buffer: CUDABuffer) -> CUDABuffer:
        target = buffer.aliases
        if target is not None and target not in self._buffers:
            raise ValueError(f"buffer {buffer.name!r} aliases {target!r}, which is not registered")
        while target is not None:
            if target == buffer.name:
                raise ValueError(f"buffer {buffer.name!r} would alias itself in a circle")
            target = self._buffers[target].aliases
        self._buffers[buffer.name] = buffer
        self.clear_layout()
        return buffer

    def _lay_out(self) -> _Layouts:
        if self._layouts is None:
            self._layouts = _Layouts(self._buffers)
        return self._layouts


class _Layouts:
    """Where each buffer of a group lies: in one of three memories, and there once.

    A buffer that aliases another becomes a slice of it where the other has room left, has its
    precision and lies in a memory that serves both: first come, first served. Else it is allocated
    by its own settings. A local buffer has no slice but a size: it is an array of its own.
    """

    def __init__(self, buffers: Mapping[str, CUDABuffer]) -> None:
        self.shared: dict[str, slice] = {}
        self.persistent: dict[str, slice] = {}
        self.local: dict[str, int] = {}
        self._buffers = buffers
        # Elements of each buffer with a place that others are slices of already.
        self._consumed: dict[str, int] = {}
        for name in buffers:
            for buffer in reversed(self._find_unplaced(name)):
                self._place(buffer)

    def _find_unplaced(self, name: str | None) -> list[CUDABuffer]:
        """Return a buffer and those that it aliases, one through the other, without a place."""
        chain: list[CUDABuffer] = []
        while name is not None and name not in self._consumed:
            chain.append(self._buffers[name])
            name = chain[-1].aliases
        return chain

    def _place(self, buffer: CUDABuffer) -> None:
        """Give a buffer its place; what it aliases has one."""
        name = buffer.name
        self._consumed[name] = 0
        if buffer.aliases is not None and self._place_inside(self._buffers[buffer.aliases], buffer):
            return
        if buffer.location == Location.LOCAL and not buffer.persistent:
            self.local[name] = max(1, buffer.size)
            return
        memory = self.shared if buffer.location == Location.SHARED else self.persistent
        start = _find_end(memory)
        memory[name] = slice(start, start + buffer.size)

    def _place_inside(self, target: CUDABuffer, buffer: CUDABuffer) -> bool:
        """Make a buffer a slice of its target, if that serves and has room; say whether it did.

        Shared memory serves every buffer. The persistent array is a thread's own, so it serves
        none that is to be shared; an array of the target's own allocator can serve nobody else.
        """
        if target.name in self.shared:
            memory = self.shared
        elif target.name in self.persistent and buffer.location == Location.LOCAL:
            memory = self.persistent
        else:
            return False
        consumed = self._consumed[target.name]
        # Elements of another precision would be read as something else.
        is_same = np.dtype(buffer.precision) == np.dtype(target.precision)
        if not is_same or consumed + buffer.size > target.size:
            return False
        self._consumed[target.name] += buffer.size
        start = memory[target.name].start + consumed
        memory[buffer.name] = slice(start, start + buffer.size)
        return True


def _find_end(layout: Mapping[str, slice]) -> int:
    return max((place.stop for place in layout.values()), default=0)
