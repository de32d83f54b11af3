"""The CUDA driver of this machine: what it supports decides which parts of the toolkit fit."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from dataclasses import dataclass

# A driver that does not answer by then, with no device at work, never will.
TIMEOUT_S = 30.0
# Numbers of the driver's interface, cuda.h.
_SUCCESS = 0
_CAPABILITY_MAJOR = 75
_CAPABILITY_MINOR = 76


@dataclass(frozen=True, kw_only=True)
class CudaDriver:
    """A driver that answers.

    Attributes
    ----------
    version
        The newest CUDA that it supports, as major and minor.
    compute_capability
        Of the oldest device that it sees, as major and minor; None without a device.
    """

    version: tuple[int, int]
    compute_capability: tuple[int, int] | None = None


def find_cuda_driver() -> CudaDriver | None:
    """Return the machine's driver, None if there is none.

    It is asked in a process of its own: what it starts in a process stays there.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "fixwatch.installing.cuda_driver"],
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        answer = json.loads(done.stdout)
        capability = answer["compute_capability"]
        return CudaDriver(
            version=tuple(answer["version"]),
            compute_capability=tuple(capability) if capability else None,
        )
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
        return None


def _ask_driver() -> dict[str, object] | None:
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return None
    version = ctypes.c_int()
    if driver.cuDriverGetVersion(ctypes.byref(version)) != _SUCCESS:
        return None
    # CUDA 12.4 is 12040.
    major, rest = divmod(version.value, 1000)
    capabilities = _ask_devices(driver)
    return {
        "version": [major, rest // 10],
        "compute_capability": min(capabilities, default=None),
    }


def _ask_devices(driver: ctypes.CDLL) -> list[list[int]]:
    count = ctypes.c_int(0)
    if driver.cuInit(0) != _SUCCESS or driver.cuDeviceGetCount(ctypes.byref(count)) != _SUCCESS:
        return []
    capabilities = []
    for number in range(count.value):
        device, value = ctypes.c_int(), ctypes.c_int()
        driver.cuDeviceGet(ctypes.byref(device), number)
        capability = []
        for attribute in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR):
            driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
            capability.append(value.value)
        capabilities.append(capability)
    return capabilities


if __name__ == "__main__":
    print(json.dumps(_ask_driver()))
