"""Wheels of commits: each is built once, and installed with what it needs as of its date."""

from __future__ import annotations

import json
import os
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from fixwatch.durable_files import write_json_atomically
from fixwatch.installing.as_of import Environment, Resolution, build_wheel
from fixwatch.installing.as_of_exceptions import (
    EXCEPTIONS,
    find_commit_constraints,
    find_requirements_beside,
)
from fixwatch.installing.cuda_parts import NO_CUDA_REQUIREMENTS, CudaRequirements
from fixwatch.installing.wheel_metadata import read_build_requirements, read_requirements

DESCRIPTION_NAME = "fixwatch-build.json"
FORMAT_VERSION = 2
TIMEOUT_S = 60.0
_EXTENSION_SUFFIXES = frozenset({".so", ".pyd", ".dylib", ".dll"})
# Variables that steer how setuptools compiles.
_VARIABLES = ("CC", "CXX", "CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS", "LDSHARED")


@dataclass(frozen=True, kw_only=True)
class Build:
    """A commit's wheel, and how it came to be."""

    wheel: str  # the file's name
    packages: dict[str, str]  # name and version of everything in the build environment
    extensions: str  # none or compiled


def build_commit(
    source: Path,
    destination: Path,
    as_of: datetime,
    constraints: Sequence[str],
    environment: Environment,
) -> Build:
    """Build the wheel of a clean checkout in an empty folder, and describe it beside the wheel.

    The environment is filled with the build packages of the commit's date, within the bounds that
    are added for that day. Errors are those of `Environment.install_as_of` and `build_wheel`.
    """
    requirements = read_build_requirements(source)
    tools = environment.install_as_of(requirements, as_of, constraints=constraints)
    wheel = build_wheel(source, destination, environment.python)
    with zipfile.ZipFile(wheel) as archive:
        suffixes = {PurePosixPath(name).suffix for name in archive.namelist()}
    build = Build(
        wheel=wheel.name,
        packages=tools.packages,
        extensions="none" if suffixes.isdisjoint(_EXTENSION_SUFFIXES) else "compiled",
    )
    description = {**_describe_conditions(constraints, environment.python), **asdict(build)}
    write_json_atomically(destination / DESCRIPTION_NAME, description)
    return build


def find_build(destination: Path, constraints: Sequence[str], python: Path) -> Build | None:
    """Return the build that a folder holds, None if there is none to be used again.

    One that was made under other constraints, by another Python or with other compiler settings is
    not used again.
    """
    try:
        data = json.loads((destination / DESCRIPTION_NAME).read_text(encoding="utf-8"))
        for name, value in _describe_conditions(constraints, python).items():
            if data.pop(name) != value:
                return None
        build = Build(**data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return build if (destination / build.wheel).is_file() else None


def install_commit(
    upstream: str,
    wheel: Path,
    committed_at: datetime,
    environment: Environment,
    parts: CudaRequirements = NO_CUDA_REQUIREMENTS,
    tools: Sequence[str] = (),
) -> Resolution:
    """Install a commit's wheel with all that it needs, what its metadata leaves out included.

    Beside it come the parts for a device, and tools, whatever their date. Errors are those of
    `Environment.install_as_of`.
    """
    # What an extra names has the bounds of its own generation of CUDA.
    beside = find_requirements_beside(
        upstream, read_requirements(wheel), with_extras=parts.extra is None
    )
    named = f"{parts.name(upstream)} @ {wheel.absolute().as_uri()}"
    return environment.install_as_of(
        [named, *parts.requirements, *beside],
        committed_at,
        constraints=[*find_commit_constraints(upstream, committed_at), *parts.constraints],
        exempt=EXCEPTIONS.exempt_for_commits.get(upstream, ()),
        tools=tools,
    )


def _describe_conditions(constraints: Sequence[str], python: Path) -> dict[str, object]:
    """Return what a build depends on besides its commit."""
    code = "import sys, sysconfig; print(sys.version, sysconfig.get_platform())"
    builder = subprocess.run(
        [python, "-I", "-c", code], check=True, capture_output=True, text=True, timeout=TIMEOUT_S
    ).stdout.strip()
    return {
        "version": FORMAT_VERSION,
        "constraints": list(constraints),
        "builder": builder,
        "variables": {name: os.environ[name] for name in _VARIABLES if name in os.environ},
    }
