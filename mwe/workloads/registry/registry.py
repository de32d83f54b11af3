"""The registry: finds the group of an owner, and hands everything to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mwe.workloads.registry.buffers import CUDABuffer
from mwe.workloads.registry.groups import BufferGroup


class BufferRegistry:
    """The groups of any number of parents, told apart by identity."""

    def __init__(self) -> None:
        # The group holds the parent, so that no other object gets its identity.
        self._groups: dict[int, BufferGroup] = {}

    def register(
        self, parent: Any, name: str, size: int, location: str, **settings: Any
    ) -> CUDABuffer:
        """Add a buffer of a parent; see `BufferGroup.register`."""
        group = self._groups.get(id(parent)) or BufferGroup(parent)
        buffer = group.register(name, size, location, **settings)
        self._groups[id(parent)] = group
        return buffer

    def update_buffer(self, parent: Any, name: str, /, **changes: Any) -> CUDABuffer:
        """Change a buffer; see `BufferGroup.update_buffer`.

        Raises
        ------
        KeyError
            If the parent or the buffer is unknown.
        """
        return self._find(parent).update_buffer(name, **changes)

    def clear_layout(self, parent: Any) -> None:
        """Drop the layouts of a parent, if it has any."""
        if id(parent) in self._groups:
            self._groups[id(parent)].clear_layout()

    def clear_parent(self, parent: Any) -> None:
        """Forget a parent and its buffers, if it has any."""
        self._groups.pop(id(parent), None)

    def shared_buffer_size(self, parent: Any) -> int:
        """Return the elements of shared memory that a parent needs; 0 without buffers."""
        group = self._groups.get(id(parent))
        return group.shared_buffer_size() if group else 0

    def local_buffer_size(self, parent: Any) -> int:
        """Return the elements of local arrays that a parent needs; 0 without buffers."""
        group = self._groups.get(id(parent))
        return group.local_buffer_size() if group else 0

    def persistent_local_buffer_size(self, parent: Any) -> int:
        """Return the elements of the persistent array that a parent needs; 0 without buffers."""
        group = self._groups.get(id(parent))
        return group.persistent_local_buffer_size() if group else 0

    def get_allocator(self, parent: Any, name: str) -> Callable[..., Any]:
        """Return the device function of a buffer.

        Raises
        ------
        KeyError
            If the parent or the buffer is unknown.
        """
        return self._find(parent).get_allocator(name)

    def _find(self, parent: Any) -> BufferGroup:
        try:
            return self._groups[id(parent)]
        except KeyError:
            raise KeyError(f"{parent!r} has no buffers; register one first") from None
