"""The registry: finds the group of an owner, and hands everything to it.

`buffer_registry` is the one that workloads share.
"""

from __future__ import annotations

from typing import Any

from mwe.workloads.registry.buffers import CUDABuffer
from mwe.workloads.registry.groups import BufferGroup


class BufferRegistry:
    """The groups of any number of parents, told apart by identity.

    Each method does what the one of that name in `BufferGroup` does. A parent that is not known
    has no buffers, so its sizes are 0 and asking for one of its buffers is a `KeyError`.
    """

    def __init__(self) -> None:
        # The group holds the parent, so that no other object gets its identity.
        self._groups: dict[int, BufferGroup] = {}

    def register(
        self, parent: Any, name: str, size: int, location: str, **settings: Any
    ) -> CUDABuffer:
        """Add a buffer of a parent.

        Examples
        --------
        A local buffer that is a slice of a shared one needs no memory of its own:

        >>> parent = object()
        >>> state = buffer_registry.register(parent, "state", 100, "shared")
        >>> scratch = buffer_registry.register(parent, "scratch", 30, "local", aliases="state")
        >>> buffer_registry.shared_buffer_size(parent), buffer_registry.local_buffer_size(parent)
        (100, 0)
        >>> buffer_registry.clear_parent(parent)
        """
        group = self._find_group(parent)
        buffer = group.register(name, size, location, **settings)
        self._groups[id(parent)] = group
        return buffer

    def update_buffer(self, parent: Any, name: str, /, **changes: Any) -> CUDABuffer:
        """Change a buffer of a parent."""
        return self._find_group(parent).update_buffer(name, **changes)

    def clear_layout(self, parent: Any) -> None:
        """Drop the layouts of a parent, if it has any."""
        self._find_group(parent).clear_layout()

    def clear_parent(self, parent: Any) -> None:
        """Forget a parent and its buffers, if it has any."""
        self._groups.pop(id(parent), None)

    def shared_buffer_size(self, parent: Any) -> int:
        """Return the elements of shared memory that a parent needs."""
        return self._find_group(parent).shared_buffer_size()

    def local_buffer_size(self, parent: Any) -> int:
        """Return the elements of local arrays that a parent needs."""
        return self._find_group(parent).local_buffer_size()

    def persistent_local_buffer_size(self, parent: Any) -> int:
        """Return the elements of the persistent array that a parent needs."""
        return self._find_group(parent).persistent_local_buffer_size()

    def get_allocator(self, parent: Any, name: str) -> Any:
        """Return the device function of a buffer of a parent."""
        return self._find_group(parent).get_allocator(name)

    def _find_group(self, parent: Any) -> BufferGroup:
        """Return the group of a parent; an empty one, which is not kept, if it is not known."""
        return self._groups.get(id(parent)) or BufferGroup(parent)


# It keeps a parent alive until `clear_parent`.
buffer_registry = BufferRegistry()
