"""The CUDA driver: the one place that loads it, counts its devices and asks what it supports.

It stands here because trials run where Fixwatch is not installed. Whoever installs what fits the
driver asks ``python -m mwe.device``, so that installs and trials mean the same driver: the one that
numba would load. This module imports no numba, and nothing but the errors beside it.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from enum import Enum

from mwe.errors import HarnessError

# Numbers of the driver's interface, cuda.h.
_SUCCESS = 0
_NO_DEVICE = 100
_CAPABILITY_MAJOR = 75
_CAPABILITY_MINOR = 76
REMEDY = "or use --target simulator"


class MissingPart(str, Enum):
    """What is missing where kernels cannot run on a device."""

    DRIVER = "driver"
    DEVICE = "device"
    COMPILER = "compiler"


class MissingPartError(HarnessError):
    """A part of CUDA is missing on this machine or in this environment."""

    def __init__(self, part: MissingPart, message: str) -> None:
        super().__init__(message)
        self.part = part


def check_driver() -> None:
    """Load the driver and count its devices, without numba.

    Raises
    ------
    MissingPartError
        Naming the driver or the device, whichever is missing.
    """
    driver, path = _load_driver()
    status = int(driver.cuInit(0))
    if status not in (_SUCCESS, _NO_DEVICE):
        raise MissingPartError(
            MissingPart.DRIVER,
            f"no CUDA driver: cuInit of {path} failed with {_name_error(driver, status)}; "
            f"install the driver that fits the kernel module, {REMEDY}",
        )
    if status == _NO_DEVICE or not _count_devices(driver):
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        why = "" if visible is None else f" (CUDA_VISIBLE_DEVICES is {visible!r})"
        raise MissingPartError(
            MissingPart.DEVICE,
            f"no CUDA device: the driver sees none{why}; make one visible, {REMEDY}",
        )


def describe_driver() -> dict[str, list[int] | None] | None:
    """Return what the machine's driver supports, None if there is none.

    ``version`` is the newest CUDA that it supports and ``compute_capability`` that of the oldest
    device that it sees, None without a device; each as major and minor.
    """
    try:
        driver, _ = _load_driver()
    except MissingPartError:
        return None
    version = ctypes.c_int()
    if driver.cuDriverGetVersion(ctypes.byref(version)) != _SUCCESS:
        return None
    # CUDA 12.4 is 12040.
    major, rest = divmod(version.value, 1000)
    n_devices = _count_devices(driver) if driver.cuInit(0) == _SUCCESS else 0
    capabilities = [_ask_capability(driver, number) for number in range(n_devices)]
    return {
        "version": [major, rest // 10],
        "compute_capability": min(capabilities, default=None),
    }


def _load_driver() -> tuple[ctypes.CDLL, str]:
    # numba's own variable; 0 turns its driver off.
    configured = os.environ.get("NUMBA_CUDA_DRIVER", "")
    if configured == "0" or os.environ.get("NUMBA_DISABLE_CUDA", "0") not in ("", "0"):
        raise MissingPartError(
            MissingPart.DRIVER,
            "no CUDA driver: NUMBA_CUDA_DRIVER or NUMBA_DISABLE_CUDA turns it off; "
            f"unset them, {REMEDY}",
        )
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    # Some installations have the unversioned name only, or no entry in the loader's cache.
    others = ("libcuda.so", "/usr/lib/libcuda.so", "/usr/lib64/libcuda.so")
    candidates = [configured] if configured else [name, *others]
    failure: OSError | None = None
    for path in candidates:
        try:
            return ctypes.CDLL(path), path
        except OSError as error:
            failure = failure or error
    raise MissingPartError(
        MissingPart.DRIVER,
        f"no CUDA driver: {candidates[0]} cannot be loaded; install NVIDIA's driver, {REMEDY}",
    ) from failure


def _count_devices(driver: ctypes.CDLL) -> int:
    """Return how many devices a driver sees that has started."""
    count = ctypes.c_int(0)
    return count.value if driver.cuDeviceGetCount(ctypes.byref(count)) == _SUCCESS else 0


def _ask_capability(driver: ctypes.CDLL, number: int) -> list[int]:
    device, value = ctypes.c_int(), ctypes.c_int()
    driver.cuDeviceGet(ctypes.byref(device), number)
    capability = []
    for attribute in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR):
        driver.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        capability.append(value.value)
    return capability


def _name_error(driver: ctypes.CDLL, status: int) -> str:
    text = ctypes.c_char_p()
    if driver.cuGetErrorName(status, ctypes.byref(text)) == _SUCCESS and text.value:
        return f"{text.value.decode()} ({status})"
    return f"error {status}"


if __name__ == "__main__":
    print(json.dumps(describe_driver()))
