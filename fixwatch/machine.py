"""A name for this machine among the results: descriptive, and its own."""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What asv records of a machine; no host name is among it."""

    name: str
    system: str
    architecture: str
    n_cores: int


def describe_machine() -> Machine:
    """Describe this machine; the end of its name tells it from others of its kind.

    The mark is a digest of the host's name and of the system's own number for it, so that results
    which were copied from another machine are not taken for this one's.
    """
    system, architecture = platform.system().lower(), platform.machine().lower()
    n_cores = os.cpu_count() or 1
    identity = platform.node()
    with contextlib.suppress(OSError):
        identity += Path("/etc/machine-id").read_text(encoding="utf-8")
    mark = hashlib.sha256(identity.encode()).hexdigest()[:6]
    return Machine(
        name=f"{system}-{architecture}-{n_cores}core-{mark}",
        system=platform.system(),
        architecture=platform.machine(),
        n_cores=n_cores,
    )


def describe_python() -> str:
    """Return the version of the running Python as records name it, such as ``3.12``."""
    return f"{sys.version_info[0]}.{sys.version_info[1]}"
