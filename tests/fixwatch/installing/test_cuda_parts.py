"""Which parts of the toolkit a release gets for a device."""

from __future__ import annotations

import pytest
from packaging.version import Version

from fixwatch.history.release_table import load_release_table
from fixwatch.installing.cuda_driver import CudaDriver
from fixwatch.installing.cuda_parts import CUDA_PARTS, find_cuda_requirements

WHEELS = ("nvidia-cuda-nvcc-cu12", "nvidia-cuda-runtime-cu12")
HOPPER = (9, 0)


def driver(major, minor, capability=HOPPER):
    """Return a driver that supports CUDA up to this version."""
    return CudaDriver(version=(major, minor), compute_capability=capability)


def find(upstream, version, of_driver=None):
    """Return extra, requirements and constraints."""
    found = find_cuda_requirements(upstream, Version(version), of_driver)
    return found.extra, found.requirements, found.constraints


@pytest.mark.parametrize("release", load_release_table(), ids=lambda r: f"{r.upstream}-{r.version}")
def test_every_release_of_the_table_gets_a_compiler(release):
    """By an extra or by name, whatever the driver."""
    for each in (None, driver(12, 4), driver(13, 1)):
        extra, requirements, _ = find(release.upstream, release.version, each)
        assert (extra is not None) is not (requirements == WHEELS)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.0.15", None),
        ("0.13.0", None),
        ("0.14.0", "cu12"),
        ("0.18.1", "cu12"),
        ("0.30.4", "cu12"),
    ],
)
def test_numba_cuda_has_extras_from_0_14_on(version, expected):
    """Before that it takes NVIDIA's wheels, like numba; CUDA 12 where no driver says more."""
    extra, requirements, _ = find("numba-cuda", version)
    assert extra == expected
    assert requirements == (() if expected else WHEELS)


@pytest.mark.parametrize(
    ("version", "of_driver", "expected"),
    [
        ("0.19.0", driver(13, 0), "cu13"),
        ("0.18.1", driver(13, 0), "cu12"),
        ("0.30.4", driver(12, 9), "cu12"),
        ("0.30.4", driver(13, 0, (7, 5)), "cu13"),
        # CUDA 13 compiles for nothing older than 7.5, its driver still runs some of that.
        ("0.30.4", driver(13, 0, (7, 0)), "cu12"),
        ("0.30.4", driver(13, 0, None), "cu13"),
    ],
)
def test_cuda_13_is_taken_where_release_driver_and_device_have_it(version, of_driver, expected):
    """Else CUDA 12, which runs on newer drivers as well."""
    assert find("numba-cuda", version, of_driver)[0] == expected


@pytest.mark.parametrize(
    ("upstream", "version", "bounded"),
    [
        ("numba", "0.60.0", WHEELS),
        ("numba-cuda", "0.10.0", WHEELS),
        ("numba-cuda", "0.15.2", WHEELS[:1]),
        ("numba-cuda", "0.16.0", ()),
    ],
)
def test_where_the_driver_links_no_toolkit_is_newer_than_it(upstream, version, bounded):
    """It would refuse the PTX; a driver of the next major version takes all of it."""
    _, _, constraints = find(upstream, version, driver(12, 4))
    assert constraints == tuple(f"{name}<12.5" for name in bounded)
    assert find(upstream, version, driver(13, 0))[2] == ()


def test_a_requirement_names_the_extra():
    """As pip takes it."""
    found = find_cuda_requirements("numba-cuda", Version("0.30.4"), None)
    assert found.name("numba-cuda") == "numba-cuda[cu12]"
    assert find_cuda_requirements("numba", Version("0.68.1"), None).name("numba") == "numba"


def test_each_range_has_its_reason_and_reference():
    """And begins before it ends."""
    for row in CUDA_PARTS:
        assert row.reason
        assert row.reference
        assert row.last is None or Version(row.first) <= Version(row.last)
