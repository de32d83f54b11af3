"""Targets: the simulator or a CUDA device, chosen before numba is imported."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from enum import Enum
from pathlib import Path

from mwe.errors import HarnessError


class Target(str, Enum):
    """Where kernels run."""

    SIMULATOR = "simulator"
    CUDA = "cuda"


def prepare_target(target: Target) -> None:
    """Import ``numba.cuda`` for the target, and check that it is what will be measured.

    Raises
    ------
    HarnessError
        If numba is missing, ``numba.cuda`` does not import, the process has imported it for the
        other target, there is no CUDA device, or numba-cuda is installed but not in effect.
    """
    # Idle threads of numpy's would make forking unsafe, and cost memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["NUMBA_ENABLE_CUDASIM"] = "1" if target is Target.SIMULATOR else "0"
    try:
        from numba import config, cuda
    except ModuleNotFoundError as error:
        if error.name == "numba":
            raise HarnessError(
                "numba is not installed in this environment; install numba, or numba-cuda"
            ) from error
        raise HarnessError(_import_failure(target, error)) from error
    except Exception as error:
        raise HarnessError(_import_failure(target, error)) from error
    if bool(config.ENABLE_CUDASIM) is not (target is Target.SIMULATOR):
        raise HarnessError(
            "numba was imported for the other target in this process; start a fresh one"
        )
    _check_numba_cuda_is_in_effect(Path(str(cuda.__file__)))
    if target is Target.CUDA and not cuda.is_available():
        raise HarnessError(
            "no CUDA device can be used (cuda.is_available() is false); "
            "install a driver, or use --target simulator"
        )


def _import_failure(target: Target, error: Exception) -> str:
    return f"numba.cuda does not import for the {target.value}: {type(error).__name__}: {error}"


def _check_numba_cuda_is_in_effect(imported_from: Path) -> None:
    if "numba-cuda" in find_packages() and "numba_cuda" not in imported_from.parts:
        raise HarnessError(
            "numba-cuda is installed, but numba.cuda is the built-in target; "
            "numba-cuda's .pth file must be active in this environment"
        )


def find_packages() -> dict[str, str]:
    """Return name and version of the installed packages that decide what is measured."""
    packages = {}
    for distribution in importlib.metadata.distributions():
        name = str(distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name in {"numpy", "numba", "llvmlite"} or name.startswith(
            ("numba-", "cuda-", "nvidia-")
        ):
            packages[name] = distribution.version
    return dict(sorted(packages.items()))


def find_python() -> str:
    """Return the running interpreter as ``CPython 3.11.7``."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    return f"{platform.python_implementation()} {version}"
