"""The reproducer as a test suite: correct code that fails on affected versions.

Each case with two active threads or more fails there, each time; those with one or none pass.
"""

import contextlib
import threading

import numpy as np
import pytest
from numba import config, cuda

from .allocator import AllocatorFactory
from .kernel import KernelFactory

pytestmark = pytest.mark.skipif(
    not cuda.is_available(),
    reason="no CUDA device; set NUMBA_ENABLE_CUDASIM=1 to run in the simulator",
)

DEFAULTS = {"array_size": 10, "buffer_size": 5, "n_threads": 7}
THREADS_PER_BLOCK = 32
MAX_WAIT_S = 1.0  # of each wait; what is waited for happens within milliseconds


@pytest.fixture
def settings_dict(request):
    """Return the defaults, overridden by ``request.param`` where there is one."""
    return {**DEFAULTS, **(getattr(request, "param", None) or {})}


@pytest.fixture
def allocator_factory(settings_dict):
    """Return a fresh allocator factory for the settings."""
    return AllocatorFactory(settings_dict["buffer_size"])


@pytest.fixture
def kernel(allocator_factory):
    """Return a fresh kernel around the allocator."""
    return KernelFactory(allocator_factory).build()


CASES = [
    *(pytest.param(None, None, id=f"seven-threads-{number}") for number in range(1, 6)),
    pytest.param({"n_threads": 10}, None, id="all-threads"),
    pytest.param({"n_threads": 0}, None, id="no-thread"),
    pytest.param({"n_threads": 1}, None, id="one-thread"),
    pytest.param({"n_threads": 9}, None, id="last-index-returns-early"),
    pytest.param({"array_size": 40, "n_threads": 33}, None, id="two-blocks"),
    pytest.param({"buffer_size": 1}, None, id="smallest-buffer"),
    pytest.param(None, range(11), id="ascending"),
    pytest.param(None, range(10, -1, -1), id="descending"),
    pytest.param(None, [7, 0] * 4, id="alternating-none"),
    pytest.param(None, [10, 1] * 4, id="alternating-one"),
]


@contextlib.contextmanager
def meeting_in_the_allocator(n_threads):
    """Let all active threads of the first block enter the allocator before the first one leaves it.

    Thread 0 enters alone. The others enter and stay until thread 0 has left the kernel; only then
    do they go on to ``cuda.local.array``. A wait only decides when a thread runs, so the operating
    system could have chosen this order. In a simulator that lets one thread at a time into the
    allocator, the waits end after `MAX_WAIT_S`. On a device nothing is done.

    Python calls ``trace`` at each call in a simulated thread, and ``trace_kernel`` at each line
    and return of the kernel.
    """
    first_is_in, first_is_back = threading.Event(), threading.Event()
    all_are_in = threading.Barrier(min(max(n_threads, 1), THREADS_PER_BLOCK))

    def trace(frame, _event, _arg):
        module = frame.f_globals.get("__name__")
        if module == KernelFactory.__module__:
            return trace_kernel
        if module == AllocatorFactory.__module__ and not first_is_back.is_set():
            is_first = not first_is_in.is_set()
            first_is_in.set()
            with contextlib.suppress(threading.BrokenBarrierError):
                all_are_in.wait(MAX_WAIT_S)
            if not is_first:
                first_is_back.wait(MAX_WAIT_S)
        return None

    def trace_kernel(frame, event, _arg):
        index = frame.f_locals.get("i")
        if index == 0 and event == "return":
            first_is_in.set()  # where it has returned early
            first_is_back.set()
        elif index is not None and index > 0:
            first_is_in.wait(MAX_WAIT_S)
        return trace_kernel

    previous = threading.gettrace()
    threading.settrace(trace if config.ENABLE_CUDASIM else previous)
    try:
        yield
    finally:
        threading.settrace(previous)


@pytest.mark.parametrize(("settings_dict", "thread_counts"), CASES, indirect=["settings_dict"])
def test_active_threads_write_and_the_others_return_early(kernel, settings_dict, thread_counts):
    """Elements below ``n_threads`` become 1.0, the rest stay 0.0, in each launch of a sequence."""
    array_size = settings_dict["array_size"]
    n_blocks = -(-array_size // THREADS_PER_BLOCK)
    for n_threads in thread_counts or [settings_dict["n_threads"]]:
        output = np.zeros(array_size, dtype=np.float32)
        with meeting_in_the_allocator(n_threads):
            kernel[n_blocks, THREADS_PER_BLOCK](output, n_threads)
        if not config.ENABLE_CUDASIM:
            cuda.synchronize()
        expected = np.zeros(array_size, dtype=np.float32)
        expected[:n_threads] = 1.0
        np.testing.assert_array_equal(output, expected)
