"""A simulator of a few lines that knows one launch at a time, with and without a lock.

`launch_with_context` is what is planted: like upstream's since numba-cuda 0.13.0 it takes a kernel
that is called during a launch for a device function of that launch.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from mwe.workloads.planted_block import run_threads

Launch = Callable[..., None]

_context: object = None
_lock = threading.Lock()


def launch_with_context(kernel: Callable[..., None], n_threads: int, *arguments: Any) -> None:
    """Run the kernel in `n_threads` threads, or once in this one while another launch runs."""
    global _context
    if _context is not None:
        kernel(*arguments, 0)
        return
    _context = object()
    try:
        run_threads(kernel, n_threads, *arguments)
    finally:
        _context = None


def launch_with_lock(kernel: Callable[..., None], n_threads: int, *arguments: Any) -> None:
    """Run the kernel in `n_threads` threads, after any launch that runs already."""
    with _lock:
        launch_with_context(kernel, n_threads, *arguments)
