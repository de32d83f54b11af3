"""What all tests share. The simulator must be chosen before anything imports numba."""

from __future__ import annotations

import os
import signal

# A job in the background of a shell ignores interrupts, and so would all that the tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
# Several workers share the cores; threads of linear algebra in each would only get in the way.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# The processes of the tests start hundreds of times; each would compile all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items):
    """Let what takes longest begin, and who waits for a history that another one scans follow."""
    first = ("tests/end_to_end/", "tests/browser/", "")
    items.sort(key=lambda item: [item.nodeid.startswith(folder) for folder in first].index(True))
