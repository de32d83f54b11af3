"""What the tests of several parts of the chunked transfer share."""

from __future__ import annotations

import pytest


@pytest.fixture
def watcher():
    """Return a watcher that runs, and end it."""
    # Numba comes with it, which each module imports for its target.
    from mwe.workloads.chunked.watcher import WritebackWatcher

    watcher = WritebackWatcher()
    watcher.start()
    yield watcher
    watcher.shutdown()
