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
