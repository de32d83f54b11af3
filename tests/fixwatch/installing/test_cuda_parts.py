"""The machine's driver, and which parts of the toolkit a release gets for it."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from packaging.version import Version

from fixwatch.history.release_table import load_release_table
from fixwatch.installing.cuda_parts import (
    CUDA_PARTS,
    CudaDriver,
    find_cuda_driver,
    find_cuda_requirements,
)

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
    """A release gets a compiler by an extra or by name, whatever the driver."""
    for asked in (None, driver(12, 4), driver(13, 1)):
        extra, requirements, _ = find(release.upstream, release.version, asked)
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
    """Without an extra it takes NVIDIA's wheels, like numba; without a driver CUDA 12."""
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
    """Otherwise CUDA 12 is taken, which runs on newer drivers as well."""
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
    """The driver would refuse the PTX; one of the next major version takes all of it."""
    _, _, constraints = find(upstream, version, driver(12, 4))
    assert constraints == tuple(f"{name}<12.5" for name in bounded)
    assert find(upstream, version, driver(13, 0))[2] == ()


def test_a_requirement_names_the_extra():
    """A requirement names the extra as pip takes it."""
    found = find_cuda_requirements("numba-cuda", Version("0.30.4"), None)
    assert found.name("numba-cuda") == "numba-cuda[cu12]"
    assert find_cuda_requirements("numba", Version("0.68.1"), None).name("numba") == "numba"


def test_each_range_has_its_reason_and_reference():
    """A range says why and where to look, and begins before it ends."""
    for row in CUDA_PARTS:
        assert row.reason
        assert row.reference
        assert row.last is None or Version(row.first) <= Version(row.last)


SOURCE = """
int cuInit(unsigned flags) { return %(init)d; }
int cuDriverGetVersion(int *version) { *version = 12040; return 0; }
int cuDeviceGetCount(int *count) { *count = 2; return 0; }
int cuDeviceGet(int *device, int number) { *device = number; return 0; }
int cuDeviceGetAttribute(int *value, int attribute, int device)
{ *value = attribute == 75 ? 9 - 2 * device : device == 1 ? 5 : 0; return 0; }
"""


@pytest.fixture
def install_driver(tmp_path, monkeypatch):
    """Return a function that makes a compiled driver the one that the loader finds."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to build a driver with")

    def install(init_status):
        source = tmp_path / "driver.c"
        source.write_text(SOURCE % {"init": init_status})
        library = tmp_path / "libcuda.so.1"
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
        monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
        return library

    return install


def test_a_driver_says_what_it_supports_and_its_oldest_device(install_driver):
    """Of two devices, with capabilities 9.0 and 7.5, the older one counts."""
    install_driver(0)
    assert find_cuda_driver() == CudaDriver(version=(12, 4), compute_capability=(7, 5))


def test_a_driver_that_does_not_start_still_has_a_version(install_driver):
    """Its devices are unknown; its version still decides."""
    install_driver(100)
    assert find_cuda_driver() == CudaDriver(version=(12, 4), compute_capability=None)


def test_installs_ask_the_driver_that_trials_load(install_driver, tmp_path, monkeypatch):
    """The path in NUMBA_CUDA_DRIVER counts as it does for numba, and 0 turns the driver off."""
    library = install_driver(0)
    monkeypatch.setenv("NUMBA_CUDA_DRIVER", str(library.rename(tmp_path / "elsewhere.so")))
    assert find_cuda_driver() == CudaDriver(version=(12, 4), compute_capability=(7, 5))
    monkeypatch.setenv("NUMBA_CUDA_DRIVER", "0")
    assert find_cuda_driver() is None


def test_without_a_driver_there_is_none(tmp_path, monkeypatch):
    """A file that is no library is no driver."""
    (tmp_path / "libcuda.so.1").write_text("no library")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a driver, which the loader goes on to")
    assert find_cuda_driver() is None
