"""A name for this machine among the results: descriptive, and its own."""

from __future__ import annotations

import hashlib
import os
import platform
import uuid
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What asv records of a machine; no host name is among it."""

    name: str
    system: str
    architecture: str
    n_cores: int


def describe_machine() -> Machine:
    """Describe this machine; the end of its name tells it from others of its kind.

    The mark is a digest of the host's name and network address, so that results which were copied
    from another machine are never taken for this one's.
    """
    system, architecture = platform.system().lower(), platform.machine().lower()
    n_cores = os.cpu_count() or 1
    identity = f"{platform.node()}/{uuid.getnode():x}"
    mark = hashlib.sha256(identity.encode()).hexdigest()[:6]
    return Machine(
        name=f"{system}-{architecture}-{n_cores}core-{mark}",
        system=platform.system(),
        architecture=platform.machine(),
        n_cores=n_cores,
    )
