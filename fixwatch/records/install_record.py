"""What an environment holds at the moment, as the install leaves it for benchmarks and evidence."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from fixwatch.durable_files import write_json_atomically

# The steps at which a revision can turn out not to be measurable. AVAILABILITY is the one that no
# new try can change; DEVICE is no property of the revision at all, but of the machine.
AVAILABILITY = "availability"
BUILD = "build"
INSTALL = "install"
DEVICE = "device"
IMPORT = "import"
BATCH = "batch"
STAGES = (AVAILABILITY, BUILD, INSTALL, DEVICE, IMPORT, BATCH)

FILE_NAME = "fixwatch-install.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class InstallRecord:
    """The outcome of installing a revision; its fields are those of the `Evidence` made of it."""

    commit: str
    upstream: str
    name: str
    date: str
    packages: dict[str, str] = field(default_factory=dict)
    build_packages: dict[str, str] = field(default_factory=dict)
    extensions: str | None = None
    resolved_as_of: str | None = None
    not_run_stage: str | None = None
    not_run_reason: str | None = None

    def write(self, environment_path: Path) -> None:
        """Leave the record in the environment's folder."""
        data = {"version": FORMAT_VERSION, **asdict(self)}
        write_json_atomically(environment_path / FILE_NAME, data)


def read_install_record(environment_path: Path) -> InstallRecord | None:
    """Return the record of an environment, or None if there is none that can be read."""
    try:
        data = json.loads((environment_path / FILE_NAME).read_text(encoding="utf-8"))
        if data.pop("version") != FORMAT_VERSION:
            return None
        return InstallRecord(**data)
    except (OSError, ValueError, TypeError, KeyError):
        return None
