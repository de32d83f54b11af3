"""The user's environment once more, with another release of numba-cuda in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from fixwatch.commands.mine.runs import CHECKOUT
from fixwatch.installing.as_of import (
    NoSolutionError,
    create_environment,
    install_exactly,
    list_installed,
    resolve_as_of,
)
from fixwatch.layout import STATE_DIR

UPSTREAM = "numba-cuda"
_NAME = re.compile(r"^([A-Za-z0-9._-]+)==")
# What a release may need in other versions than the user has.
_NEAR_NUMBA = re.compile(r"^(numba|llvmlite|numpy|cuda-|nvidia-|numba-)")


@dataclass(frozen=True)
class OtherEnvironment:
    """An environment that is the user's but for some packages."""

    python: Path
    changed: tuple[str, ...]  # beside the release itself, as ``numpy 2.3.5 instead of 2.4.6``


def copy_with_release(python: Path, version: str) -> OtherEnvironment:
    """Return the environment of an interpreter with a release of numba-cuda, made once.

    All other packages stay, unless the release does not go with them; then those about numba are
    resolved anew.

    Raises
    ------
    ResolutionError
        If no set of packages fits, as where the user's numba-cuda is a checkout, or one does not
        install.
    IndexUnreachableError
        If the package index cannot be asked.
    """
    installed = list_installed(python)
    # What stands in a folder or comes from a repository is installed as it was.
    elsewhere = [line for line in installed if not _NAME.match(line)]
    pins = {_find_name(line): line for line in installed if _NAME.match(line)}
    pins.pop(UPSTREAM, None)
    kept = list(pins.values())
    now = datetime.now(timezone.utc)
    release = f"{UPSTREAM}=={version}"
    try:
        resolved = resolve_as_of([*kept, release], now, python)
    except NoSolutionError:
        fixed = [pin for name, pin in pins.items() if not _NEAR_NUMBA.match(name)]
        resolved = resolve_as_of([*fixed, "numba", "numpy", release], now, python)
    folder = _find_folder(python, [*resolved.pins, *elsewhere])
    marker = folder / "installed"
    if marker.exists() and not elsewhere:  # what stands in a folder may have changed
        interpreter = next(file for file in folder.glob("[bS]*/python*") if file.stem == "python")
    else:
        environment = create_environment(folder, python)
        install_exactly([*resolved.pins, *elsewhere], folder, environment.python)
        interpreter = environment.python
        marker.touch()
    return OtherEnvironment(interpreter, _find_changes(pins, resolved.packages))


def _find_name(pin: str) -> str:
    return pin.partition("==")[0].lower().replace("_", "-")


def _find_folder(python: Path, pins: Sequence[str]) -> Path:
    key = hashlib.sha256("\n".join([str(python), *pins]).encode()).hexdigest()[:16]
    return CHECKOUT / STATE_DIR / "mine" / key


def _find_changes(pins: dict[str, str], packages: dict[str, str]) -> tuple[str, ...]:
    before = {name: pin.partition("==")[2] for name, pin in pins.items()}
    after = {name.lower().replace("_", "-"): version for name, version in packages.items()}
    return tuple(
        f"{name} {after[name]} instead of {version}"
        for name, version in sorted(before.items())
        if name in after and after[name] != version
    )
