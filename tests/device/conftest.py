"""Tests that need a CUDA device. Without one each is skipped, and says so."""

from __future__ import annotations

import functools

import pytest

from tests.mwe.test_main import mwe


@functools.cache
def describe_missing():
    """Return what keeps kernels from running on a device here; empty where nothing does."""
    done = mwe("--check", "--target", "cuda")
    return "" if done.returncode == 0 else done.stderr.strip().removeprefix("mwe: ")


@pytest.fixture(scope="session", autouse=True)
def device():
    """Skip where there is no device."""
    missing = describe_missing()
    if missing:
        pytest.skip(f"not run: no CUDA device ({missing})")
