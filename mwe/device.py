"""What a device needs before numba is asked: the driver, and a device that it sees."""

from __future__ import annotations

import ctypes
import os
import sys
from enum import Enum

from mwe.errors import HarnessError

# Error numbers of the driver's interface, cuda.h.
_SUCCESS = 0
_NO_DEVICE = 100
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
    count = ctypes.c_int(0)
    if status == _SUCCESS:
        status = int(driver.cuDeviceGetCount(ctypes.byref(count)))
    if status != _SUCCESS or count.value < 1:
        raise MissingPartError(
            MissingPart.DEVICE,
            f"no CUDA device: the driver sees none{_describe_hidden_devices()}; "
            f"make one visible, {REMEDY}",
        )


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


def _name_error(driver: ctypes.CDLL, status: int) -> str:
    text = ctypes.c_char_p()
    if driver.cuGetErrorName(status, ctypes.byref(text)) == _SUCCESS and text.value:
        return f"{text.value.decode()} ({status})"
    return f"error {status}"


def _describe_hidden_devices() -> str:
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    return "" if visible is None else f" (CUDA_VISIBLE_DEVICES is {visible!r})"
