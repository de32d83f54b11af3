"""What the CUDA driver of this machine supports; it decides which parts of the toolkit fit."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

# A driver that does not answer by then, with no device at work, never will.
TIMEOUT_S = 30.0


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
    """Return the machine's driver, None if there is none that trials would load.

    `mwe.device` asks it, in a process of its own: what a driver starts in a process stays there.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mwe.device"],
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
