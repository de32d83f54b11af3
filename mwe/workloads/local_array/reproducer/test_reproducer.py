"""The reproducer as a test suite: correct code that fails now and then on affected versions."""

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


@pytest.mark.parametrize(("settings_dict", "thread_counts"), CASES, indirect=["settings_dict"])
def test_active_threads_write_and_the_others_return_early(kernel, settings_dict, thread_counts):
    """Elements below ``n_threads`` become 1.0, the rest stay 0.0, in each launch of a sequence."""
    array_size = settings_dict["array_size"]
    n_blocks = -(-array_size // THREADS_PER_BLOCK)
    for n_threads in thread_counts or [settings_dict["n_threads"]]:
        output = np.zeros(array_size, dtype=np.float32)
        kernel[n_blocks, THREADS_PER_BLOCK](output, n_threads)
        if not config.ENABLE_CUDASIM:
            cuda.synchronize()
        expected = np.zeros(array_size, dtype=np.float32)
        expected[:n_threads] = 1.0
        np.testing.assert_array_equal(output, expected)
