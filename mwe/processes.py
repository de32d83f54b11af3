"""What a process that works for another one asks of the system."""

from __future__ import annotations

import ctypes
import signal
import sys

# From <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have the system end this process when its parent ends, however that does; on Linux.

    The parent is the thread that started it. Elsewhere nothing happens.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
