"""The CUDA toolkit of the environment: NVIDIA's wheels, put where every numba looks for them.

Newer numba-cuda finds the wheels by itself. Numba's built-in target, and numba-cuda before 0.10,
know conda packages and the folder that CUDA_HOME names, and nothing of wheels.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mwe.targets import Target


@contextlib.contextmanager
def offer_toolkit(target: Target) -> Iterator[None]:
    """Let CUDA_HOME name the toolkit of the environment's wheels, for this block.

    It is a folder of links: the parts of a toolkit come in a wheel each, and numba wants them in
    one place. The folder stays as long as the process, as numba looks once and keeps what it found.
    Nothing is done in the simulator, where CUDA_HOME or CUDA_PATH is set, or where
    there are no such wheels.
    """
    wheels = Path(sysconfig.get_path("purelib")) / "nvidia"
    nvvm = wheels / "cuda_nvcc" / "nvvm"
    is_chosen = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH")
    if target is Target.SIMULATOR or is_chosen or os.name != "posix" or not nvvm.is_dir():
        yield
        return
    os.environ["CUDA_HOME"] = _link_toolkit(wheels).name
    try:
        yield
    finally:
        del os.environ["CUDA_HOME"]


@functools.cache
def _link_toolkit(wheels: Path) -> tempfile.TemporaryDirectory[str]:
    """Return the folder of links, which is removed when the process ends."""
    folder = tempfile.TemporaryDirectory(prefix="mwe-cuda-home-")
    Path(folder.name, "nvvm").symlink_to(wheels / "cuda_nvcc" / "nvvm")
    libraries = Path(folder.name, "lib64")
    libraries.mkdir()
    for part in ("cuda_runtime", "cuda_nvrtc"):
        for library in (wheels / part / "lib").glob("lib*"):
            (libraries / library.name).symlink_to(library)
    return folder
