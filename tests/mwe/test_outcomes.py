"""Classification of what a launch raises."""

from __future__ import annotations

import pytest

from mwe.outcomes import FailureMode, classify_error

PREFIX = "tid=[3, 0, 0] ctaid=[2, 0, 0]"


@pytest.mark.parametrize("attribute", ["local", "shared", "grid", "threadIdx"])
def test_any_attribute_missing_from_the_real_module_is_the_race(attribute):
    """Whichever attribute a thread touches first, it is the same failure mode."""
    error = AttributeError(f"{PREFIX}: module 'numba.cuda' has no attribute '{attribute}'")
    outcome = classify_error(error, threads_per_block=10)
    assert (outcome.mode, outcome.attribute) == (FailureMode.MISSING_ATTRIBUTE, attribute)


def test_the_thread_prefix_gives_the_global_index():
    """Thread 3 of block 2 of ten threads has index 23."""
    error = AttributeError(f"{PREFIX}: module 'numba.cuda' has no attribute 'local'")
    assert classify_error(error, threads_per_block=10).thread_index == 23


def test_a_message_without_prefix_names_no_thread():
    """An unknown thread is None, never thread 0."""
    error = AttributeError("module 'numba.cuda' has no attribute 'local'")
    outcome = classify_error(error, threads_per_block=10)
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
    outcome = classify_error(error, threads_per_block=10)
    assert outcome.mode is FailureMode.EXCEPTION
    assert outcome.attribute is None
    assert type(error).__name__ in outcome.detail
