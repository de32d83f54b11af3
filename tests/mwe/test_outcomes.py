"""Classification of what a launch raises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mwe.outcomes import FailureMode, classify_error
from mwe.workloads.subject import Grid

TEN_THREADS = Grid((4, 1, 1), (10, 1, 1))
PREFIX = "tid=[3, 0, 0] ctaid=[2, 0, 0]"


@pytest.mark.parametrize("attribute", ["local", "shared", "grid", "threadIdx"])
def test_any_attribute_missing_from_the_real_module_is_the_race(attribute):
    """Whichever attribute a thread touches first, it is the same failure mode."""
    error = AttributeError(f"{PREFIX}: module 'numba.cuda' has no attribute '{attribute}'")
    outcome = classify_error(error, TEN_THREADS)
    assert (outcome.mode, outcome.attribute) == (FailureMode.MISSING_ATTRIBUTE, attribute)


def test_the_thread_prefix_gives_the_global_index():
    """Thread 3 of block 2 of ten threads has index 23."""
    error = AttributeError(f"{PREFIX}: module 'numba.cuda' has no attribute 'local'")
    assert classify_error(error, TEN_THREADS).thread_index == 23


sizes = st.tuples(*[st.integers(1, 40)] * 3)
parts = st.floats(0, 1, exclude_max=True)
places = st.tuples(parts, parts, parts)


@settings(deadline=None)
@given(sizes, sizes, places, places, st.sampled_from([": boom", ""]))
def test_any_place_gives_the_index_that_numpy_gives_it(blocks, threads, block, thread, message):
    """All three of the thread's and of the block's numbers count, x fastest and blocks slowest."""
    tid = [int(part * size) for part, size in zip(thread, threads, strict=True)]
    ctaid = [int(part * size) for part, size in zip(block, blocks, strict=True)]
    index = np.ravel_multi_index((*tid, *ctaid), (*threads, *blocks), order="F")
    outcome = classify_error(ValueError(f"tid={tid} ctaid={ctaid}{message}"), Grid(blocks, threads))
    assert outcome.thread_index == index
    assert "tid" not in outcome.detail


def test_a_message_without_prefix_names_no_thread():
    """An unknown thread is None, never thread 0."""
    error = AttributeError("module 'numba.cuda' has no attribute 'local'")
    outcome = classify_error(error, TEN_THREADS)
    assert outcome.mode is FailureMode.MISSING_ATTRIBUTE
    assert outcome.thread_index is None


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError(f"{PREFIX}: module 'numba.cuda' has no attribute 'local'"),
        AttributeError(f"{PREFIX}: module 'numba.cuda.local' has no attribute 'array'"),
        AttributeError(f"{PREFIX}: 'FakeCUDAModule' object has no attribute 'local'"),
        IndexError(PREFIX),
    ],
)
def test_anything_else_is_an_exception(error):
    """Only an AttributeError of the real module itself has the race's signature."""
    outcome = classify_error(error, TEN_THREADS)
    assert outcome.mode is FailureMode.EXCEPTION
    assert outcome.attribute is None
    assert type(error).__name__ in outcome.detail
