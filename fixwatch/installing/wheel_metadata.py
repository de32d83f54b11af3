"""What a source tree or a wheel says that it needs."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from email.parser import BytesParser
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from fixwatch.installing.as_of import ResolutionError
from fixwatch.toml_tables import read_toml

# What a tree without a [build-system] table is built with; PEP 518's default, and NumPy, whose
# headers such trees of numba need.
DEFAULT_BUILD_REQUIREMENTS = ("setuptools", "wheel", "numpy")


def read_requirements(wheel: Path) -> list[Requirement]:
    """Return the requirements of a wheel under canonical names, those by URL left out."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith(".dist-info/METADATA")]
            message = BytesParser().parsebytes(archive.read(name))
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ResolutionError(f"{wheel.name} is not a wheel: {error}") from error
    return _parse(message.get_all("Requires-Dist") or [])


def select_requirements(requirements: Iterable[Requirement], extra: str = "") -> list[Requirement]:
    """Return the requirements for everybody; with an extra, those that only it brings.

    Markers are taken for the running platform.
    """
    found = [line for line in requirements if _applies(line, extra)]
    return [line for line in found if not (extra and _applies(line, ""))]


def read_build_requirements(source: Path) -> list[str]:
    """Return what a source tree's ``pyproject.toml`` needs for a build, by name and version.

    A table that cannot be read, or names a package by URL, is a `ResolutionError`.
    """
    try:
        requires = read_toml(source / "pyproject.toml")["build-system"]["requires"]
    except (FileNotFoundError, KeyError):
        return list(DEFAULT_BUILD_REQUIREMENTS)
    except (OSError, ValueError, TypeError) as error:
        raise ResolutionError(f"pyproject.toml cannot be read: {error}") from error
    try:
        parsed = _parse(requires)
    except (InvalidRequirement, TypeError) as error:
        raise ResolutionError(f"pyproject.toml: build-system.requires: {error}") from error
    if len(parsed) != len(requires):
        raise ResolutionError("pyproject.toml: build-system.requires names a package by URL")
    return [str(requirement) for requirement in parsed]


def _parse(lines: list[str]) -> list[Requirement]:
    parsed = [Requirement(line) for line in lines]
    for requirement in parsed:
        requirement.name = canonicalize_name(requirement.name)
    return [requirement for requirement in parsed if requirement.url is None]


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})
