"""Which parts of the CUDA toolkit a revision needs on a device, by the rows of `cuda_parts.toml`.

The parts come from the package index like everything else, as of the revision's date. Which
generation of them fits depends on the machine's driver:

- CUDA 13 where the driver supports it, the revision has an extra for it, and every device is of
  compute capability 7.5 or newer, which is what CUDA 13 compiles for;
- CUDA 12 otherwise, and where there is no driver: any driver since 525 runs it, newer ones too.

Where it is the driver that makes machine code of PTX, it takes only PTX of toolkits that are no
newer than itself; there the parts are bounded by the driver's version. Where the toolkit's own
linker does so, any minor version fits.

Source: NVIDIA, "CUDA Compatibility" (minor version compatibility, and its limits for PTX), and the
release notes of CUDA 13.0 (architectures that are no longer supported).
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass

from packaging.version import Version

from fixwatch.toml_tables import Table, load_table

# A driver that does not answer by then, with no device at work, never will.
TIMEOUT_S = 30.0
_OLDEST_CAPABILITY_OF_CUDA_13 = (7, 5)


class CudaParts(Table):
    """The parts of one CUDA generation for a range of releases."""

    upstream: str
    first: str
    last: str | None = None  # still in the range; None while nothing newer differs
    cuda: int  # the toolkit's major version
    extra: str | None = None  # the upstream's extra that names them
    requirements: tuple[str, ...] = ()  # what is installed besides
    bounded: tuple[str, ...] = ()  # packages that may be no newer than the driver
    reason: str
    reference: str  # where it can be seen

    def holds_for(self, upstream: str, version: Version) -> bool:
        """Whether a release is in the range."""
        is_older = self.last is not None and version > Version(self.last)
        return upstream == self.upstream and Version(self.first) <= version and not is_older


class CudaPartsTable(Table):
    """The rows of `cuda_parts.toml`."""

    parts: tuple[CudaParts, ...]


@dataclass(frozen=True, kw_only=True)
class CudaDriver:
    """A driver that answers; versions are major and minor."""

    version: tuple[int, int]  # the newest CUDA that it supports
    compute_capability: tuple[int, int] | None = None  # of the oldest device, if there is one


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


CUDA_PARTS = load_table(__file__, CudaPartsTable).parts


@dataclass(frozen=True, kw_only=True)
class CudaRequirements:
    """What an install for a device asks for besides the release."""

    extra: str | None  # of the upstream
    requirements: tuple[str, ...]
    constraints: tuple[str, ...]

    def name(self, upstream: str) -> str:
        """Return the upstream with the extra, as a requirement names it."""
        return f"{upstream}[{self.extra}]" if self.extra else upstream


NO_CUDA_REQUIREMENTS = CudaRequirements(extra=None, requirements=(), constraints=())


def find_cuda_requirements(
    upstream: str, version: Version, driver: CudaDriver | None
) -> CudaRequirements:
    """Return what a release needs on the device of a driver; see the module for the rule.

    A release older than all that is known needs nothing: it will say itself what it misses.
    """
    fitting = [
        row
        for row in CUDA_PARTS
        if row.holds_for(upstream, version) and _is_supported(row.cuda, driver)
    ]
    if not fitting:
        return NO_CUDA_REQUIREMENTS
    chosen = max(fitting, key=lambda row: row.cuda)
    constraints: tuple[str, ...] = ()
    # A driver of a later major version takes PTX of every earlier one.
    if driver is not None and driver.version[0] == chosen.cuda:
        next_minor = f"{chosen.cuda}.{driver.version[1] + 1}"
        constraints = tuple(f"{name}<{next_minor}" for name in chosen.bounded)
    return CudaRequirements(
        extra=chosen.extra, requirements=chosen.requirements, constraints=constraints
    )


def _is_supported(cuda: int, driver: CudaDriver | None) -> bool:
    if cuda < 13:
        return True
    if driver is None or driver.version[0] < cuda:
        return False
    capability = driver.compute_capability
    return capability is None or capability >= _OLDEST_CAPABILITY_OF_CUDA_13
