"""The machine's driver, asked in a process of its own."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from fixwatch.installing.cuda_driver import CudaDriver, find_cuda_driver

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

    return install


def test_a_driver_says_what_it_supports_and_its_oldest_device(install_driver):
    """Of two devices, 9.0 and 7.5, the older one."""
    install_driver(0)
    assert find_cuda_driver() == CudaDriver(version=(12, 4), compute_capability=(7, 5))


def test_a_driver_that_does_not_start_still_has_a_version(install_driver):
    """Only its devices are unknown."""
    install_driver(100)
    assert find_cuda_driver() == CudaDriver(version=(12, 4), compute_capability=None)


def test_without_a_driver_there_is_none(tmp_path, monkeypatch):
    """What the loader finds is no library."""
    (tmp_path / "libcuda.so.1").write_text("no library")
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    if shutil.which("nvidia-smi"):
        pytest.skip("this machine has a driver, which the loader goes on to")
    assert find_cuda_driver() is None
