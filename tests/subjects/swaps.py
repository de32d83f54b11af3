"""Ways of swapping a module's globals, wrong and right, for the planted simulator.

Each is what somebody might write to fix the race. The wrong ones must be caught, the right ones
never flagged. None is upstream's code.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager

from mwe.workloads.planted_race.simulator import (
    CountedSwap,
    FakeCuda,
    cuda,
    restore_globals,
    swap_globals,
    swap_on_each_call,
)


class ReferenceCountWithoutLock(CountedSwap):
    """Racy: two threads can both find 0, or lose one of two increments."""

    @contextmanager
    def __call__(self, module_globals):
        """Count without a lock."""
        self.enter(module_globals)
        try:
            yield
        finally:
            self.leave(module_globals)


class LockOnEntryOnly(CountedSwap):
    """Racy: a thread enters while the last one restores."""

    @contextmanager
    def __call__(self, module_globals):
        """Lock the swap, not the restore."""
        with self.lock:
            self.enter(module_globals)
        try:
            yield
        finally:
            self.leave(module_globals)


class RestoreBeforeLast(CountedSwap):
    """Racy: the last but one restores under the feet of the last."""

    @contextmanager
    def __call__(self, module_globals):
        """Count one too few."""
        with self.lock:
            self.enter(module_globals)
        try:
            yield
        finally:
            with self.lock:
                self.count -= 1
                if self.count <= 1:
                    restore_globals(module_globals, self.names)


class CheckOutsideLock(CountedSwap):
    """Racy: what was checked before the lock need not hold inside it."""

    @contextmanager
    def __call__(self, module_globals):
        """Decide first, lock then."""
        is_first = self.count == 0
        with self.lock:
            if is_first:
                self.names = swap_globals(module_globals)
            self.count += 1
        try:
            yield
        finally:
            is_last = self.count == 1
            with self.lock:
                self.count -= 1
                if is_last:
                    restore_globals(module_globals, self.names)


class RestoreAfterUnlock(CountedSwap):
    """Racy: between the lock's release and the restore another thread may enter."""

    @contextmanager
    def __call__(self, module_globals):
        """Count under the lock, restore behind it."""
        with self.lock:
            self.enter(module_globals)
        try:
            yield
        finally:
            with self.lock:
                self.count -= 1
                is_last = self.count == 0
            if is_last:
                restore_globals(module_globals, self.names)


class CountBeforeLock(CountedSwap):
    """Racy: of two threads that come at once, neither may find itself the first."""

    @contextmanager
    def __call__(self, module_globals):
        """Count before the lock, in an instruction that cannot be interrupted."""
        self.inside.append(None)
        with self.lock:
            if len(self.inside) == 1:
                self.names = swap_globals(module_globals)
        try:
            yield
        finally:
            with self.lock:
                self.inside.pop()
                if not self.inside:
                    restore_globals(module_globals, self.names)

    def __init__(self):
        super().__init__()
        self.inside = []


class OwnOriginals:
    """Racy: each thread restores what it found, which may be another one's fake."""

    def __init__(self):
        self.lock = threading.Lock()

    @contextmanager
    def __call__(self, module_globals):
        """Lock the swap and the restore, and keep the originals to oneself."""
        with self.lock:
            names = [name for name, value in module_globals.items() if _is_cuda(value)]
            originals = {name: module_globals[name] for name in names}
            module_globals.update(dict.fromkeys(names, FakeCuda()))
        try:
            yield
        finally:
            with self.lock:
                module_globals.update(originals)


def _is_cuda(value):
    return value is cuda or isinstance(value, FakeCuda)


class LockHeldThroughout:
    """Sound: one thread at a time."""

    def __init__(self):
        self.lock = threading.RLock()

    @contextmanager
    def __call__(self, module_globals):
        """Lock everything."""
        with self.lock:
            names = swap_globals(module_globals)
            try:
                yield
            finally:
                restore_globals(module_globals, names)


class ThreadLocalProxy(threading.local):
    """Sound: the real module itself answers by thread; its place is never taken."""

    depth = 0

    def __init__(self):
        cuda.__getattr__ = self.answer

    @contextmanager
    def __call__(self, module_globals):
        """Count the depth of this thread only."""
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def answer(self, name):
        """Answer as the fake inside a device function, as the bare module outside."""
        if self.depth:
            return getattr(FakeCuda(), name)
        raise AttributeError(f"module 'numba.cuda' has no attribute {name!r}")


def make_swap_on_each_call():
    """Return the planted race itself."""
    return swap_on_each_call


RACY = {
    "reference-count-without-lock": ReferenceCountWithoutLock,
    "lock-on-entry-only": LockOnEntryOnly,
    "restore-before-last": RestoreBeforeLast,
    "check-outside-lock": CheckOutsideLock,
}
# Further wrong ones, which no judge counts with; see `make sensitivity`.
RARE = {
    "restore-after-unlock": RestoreAfterUnlock,
    "count-before-lock": CountBeforeLock,
    "own-originals": OwnOriginals,
}
SOUND = {
    "lock-and-reference-count": CountedSwap,
    "lock-held-throughout": LockHeldThroughout,
    "thread-local-proxy": ThreadLocalProxy,
}
