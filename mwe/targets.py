"""Targets: simulator, CUDA device or compiler alone, chosen before numba is imported."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Mapping
from enum import Enum
from pathlib import Path

from mwe.device import MissingPart, MissingPartError, check_driver
from mwe.errors import HarnessError, choose
from mwe.shield import cudasim_shield

# In the environment of a process that measures: "1" for the simulator with the shield.
SHIELD_VARIABLE = "FIXWATCH_SHIELD"


class Target(str, Enum):
    """Where kernels run."""

    SIMULATOR = "simulator"
    CUDA = "cuda"
    COMPILER = "compiler"  # nowhere: they are compiled for a device, and the output is judged


# In the environment of the benchmarks: the target's name. Without it NUMBA_ENABLE_CUDASIM says
# whether it is the simulator or a device.
TARGET_VARIABLE = "FIXWATCH_TARGET"


def find_target(name: str) -> Target:
    """Return the target of that name; see `mwe.errors.choose`."""
    return choose("target", name, {target.value: target for target in Target})


def find_configured_target(variables: Mapping[str, str]) -> Target:
    """Return the target that an asv configuration's variables name; the simulator by default."""
    if name := variables.get(TARGET_VARIABLE):
        return find_target(name)
    return Target.CUDA if variables.get("NUMBA_ENABLE_CUDASIM") == "0" else Target.SIMULATOR


def prepare_target(target: Target) -> None:
    """Import ``numba.cuda`` for the target, and check that it is what will be measured.

    Raises
    ------
    HarnessError
        If numba is missing, ``numba.cuda`` does not import, the process has imported it for the
        other target, numba-cuda is installed but not in effect, or the shield is asked for and does
        not know the simulator's source.
    MissingPartError
        If the driver or a device is missing, or numba cannot use them.
    """
    if target is Target.CUDA:
        # What can be said without numba comes first, whichever numba there is.
        _check_numba_is_installed()
        check_driver()
    import_target(target)
    if target is Target.CUDA:
        _check_numba_can_use_the_device()


def import_target(target: Target) -> None:
    """Import ``numba.cuda`` as `prepare_target` does, whether or not there is a device."""
    # Idle threads of numpy's would make forking unsafe, and cost memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ["NUMBA_ENABLE_CUDASIM"] = "1" if target is Target.SIMULATOR else "0"
    # Small launches are what is asked for; a warning of each kernel would bury what is printed.
    os.environ.setdefault("NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS", "0")
    _check_numba_is_installed()
    try:
        from numba import config, cuda
    except Exception as error:
        raise HarnessError(
            f"numba.cuda does not import for the {target.value}: {type(error).__name__}: {error}"
        ) from error
    if bool(config.ENABLE_CUDASIM) is not (target is Target.SIMULATOR):
        raise HarnessError(
            "numba was imported for the other target in this process; start a fresh one"
        )
    if "numba-cuda" in find_packages() and "numba_cuda" not in Path(str(cuda.__file__)).parts:
        raise HarnessError(
            "numba-cuda is installed, but numba.cuda is the built-in target; "
            "numba-cuda's .pth file must be active in this environment"
        )
    if target is Target.SIMULATOR and is_shielded():
        _raise_shield()


def is_shielded() -> bool:
    """Whether the simulator of this process is to have the shield."""
    return os.environ.get(SHIELD_VARIABLE) == "1"


def _raise_shield() -> None:
    """Install the shield; one that is not whole would be measured for what it is not."""
    report = cudasim_shield.install()
    if report.obstacle or report.unknown:
        raise HarnessError(f"the shield does not hold here; {report.line}")


def _check_numba_is_installed() -> None:
    if importlib.util.find_spec("numba") is None:
        raise HarnessError(
            "numba is not installed in this environment; install numba, or numba-cuda"
        )


def _check_numba_can_use_the_device() -> None:
    from numba import cuda

    try:
        if cuda.is_available():
            return
        cuda.current_context()
    except Exception as error:
        raise MissingPartError(
            MissingPart.DRIVER,
            f"numba cannot use the CUDA driver: {type(error).__name__}: {error}",
        ) from error
    # It asks for the driver and libNVVM, and the driver has just made a context.
    raise MissingPartError(
        MissingPart.COMPILER,
        "no CUDA compiler: the device works, but numba finds no libNVVM; install the extra cu12 or "
        "cu13 of numba-cuda, or nvidia-cuda-nvcc-cu12 for numba's built-in target",
    )


def find_packages() -> dict[str, str]:
    """Return name and version of the installed packages that decide what is measured.

    The shield counts as one, so that what was measured with it is not taken for anything else.
    """
    packages = dict(_find_installed())
    if is_shielded():
        packages[cudasim_shield.NAME] = cudasim_shield.VERSION
    return dict(sorted(packages.items()))


# A process that runs many batches asks for each.
@functools.cache
def _find_installed() -> tuple[tuple[str, str], ...]:
    packages = []
    for distribution in importlib.metadata.distributions():
        name = str(distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name in {"numpy", "numba", "llvmlite"} or name.startswith(
            ("numba-", "cuda-", "nvidia-")
        ):
            packages.append((name, distribution.version))
    return tuple(packages)


def find_python() -> str:
    """Return the running interpreter as ``CPython 3.11.7``."""
    return "{} {}.{}.{}".format(platform.python_implementation(), *sys.version_info[:3])
