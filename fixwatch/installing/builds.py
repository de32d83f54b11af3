"""Wheels of commits: built once each, with extensions that are compiled once for each key."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from fixwatch.durable_files import write_json_atomically
from fixwatch.installing.as_of import build_wheel, install_exactly, resolve_as_of
from fixwatch.installing.extension_cache import ExtensionCache, place_for_build, read_extensions
from fixwatch.installing.extension_keys import describe_builder, describe_key
from fixwatch.installing.wheel_metadata import read_build_requirements

DESCRIPTION_NAME = "fixwatch-build.json"
FORMAT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Build:
    """A commit's wheel, and how it came to be.

    Attributes
    ----------
    wheel
        The file's name.
    packages
        Name and version of everything in the build environment.
    extensions
        ``none``, ``compiled`` or ``reused``.
    extension_key
        The key under which the extensions are kept, None where nothing is.
    """

    wheel: str
    packages: dict[str, str]
    extensions: str
    extension_key: str | None


@dataclass(frozen=True, kw_only=True)
class BuildPlace:
    """Where a commit is built.

    Attributes
    ----------
    environment, python
        The environment's folder, which is filled with the build's packages, and its interpreter.
    source
        The clean checkout.
    files
        Git's hash of each of its files, by path.
    """

    environment: Path
    python: Path
    source: Path
    files: Mapping[str, str]


def build_commit(
    place: BuildPlace,
    destination: Path,
    as_of: datetime,
    constraints: Sequence[str],
    cache: ExtensionCache,
) -> Build:
    """Build a commit's wheel with the build packages of its date; describe it beside the wheel.

    Raises
    ------
    ResolutionError
        If it does not build; with the last lines of the output.
    IndexUnreachableError
        If the index cannot be asked for the build packages.
    """
    tools = resolve_as_of(
        read_build_requirements(place.source), as_of, place.python, constraints=constraints
    )
    install_exactly(tools.pins, place.environment, place.python)
    scripts = {
        path: (place.source / path).read_text(encoding="utf-8", errors="replace")
        for path in place.files
        if "/" not in path and path.endswith(".py")
    }
    key = describe_key(place.files, scripts, tools.packages, place.python)
    kept = cache.load(key) if key else None
    if key and kept:
        place_for_build(kept, place.source, key)
    wheel = build_wheel(place.source, destination, place.python)
    extensions = read_extensions(wheel)
    if key and extensions != kept:
        cache.store(key, extensions)
    build = Build(
        wheel=wheel.name,
        packages=tools.packages,
        extensions="none" if not extensions else "reused" if extensions == kept else "compiled",
        extension_key=key.digest if key and extensions else None,
    )
    description = {
        "version": FORMAT_VERSION,
        "constraints": list(constraints),
        "builder": describe_builder(place.python),
        **asdict(build),
    }
    write_json_atomically(destination / DESCRIPTION_NAME, description)
    return build


def find_build(destination: Path, constraints: Sequence[str], python: Path) -> Build | None:
    """Return the build that a folder holds, None if there is none to be used again.

    Parameters
    ----------
    destination
        The folder that the build went to.
    constraints
        Those of today; a build under others is not used again.
    python
        The interpreter; nor is one by another, or by other compilers or settings.
    """
    try:
        data = json.loads((destination / DESCRIPTION_NAME).read_text(encoding="utf-8"))
        if data.pop("version") != FORMAT_VERSION or data.pop("constraints") != list(constraints):
            return None
        if data.pop("builder") != describe_builder(python):
            return None
        build = Build(**data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return build if (destination / build.wheel).is_file() else None
