"""The toolkit of the environment's wheels."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path

import pytest

from mwe.targets import Target
from mwe.toolkit import offer_toolkit

pytestmark = pytest.mark.skipif(os.name != "posix", reason="numba finds wheels elsewhere by itself")

NVVM = "nvidia/cuda_nvcc/nvvm/lib64/libnvvm.so"


@pytest.fixture
def wheels(tmp_path, monkeypatch):
    """Lay out what NVIDIA's wheels install, and no toolkit of the machine's own."""
    for name in (
        NVVM,
        "nvidia/cuda_runtime/lib/libcudart.so.12",
    ):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(tmp_path))
    monkeypatch.delenv("CUDA_HOME", raising=False)
    monkeypatch.delenv("CUDA_PATH", raising=False)
    return tmp_path


def test_the_parts_of_the_wheels_lie_in_one_folder_for_as_long_as_they_are_needed(wheels):
    """CUDA_HOME names a folder of links for the block, where a numba that knows no wheels looks."""
    with offer_toolkit(Target.CUDA):
        home = Path(os.environ["CUDA_HOME"])
        assert (home / "nvvm/lib64/libnvvm.so").read_text() == NVVM
        assert (home / "lib64/libcudart.so.12").is_file()
    assert "CUDA_HOME" not in os.environ
    # Numba looks once in a process, and keeps the paths that it found.
    with offer_toolkit(Target.COMPILER):
        assert Path(os.environ["CUDA_HOME"]) == home
    assert (wheels / NVVM).is_file()


def test_a_toolkit_that_somebody_chose_stays(wheels, monkeypatch):
    """A CUDA_HOME that is set is left as it is."""
    monkeypatch.setenv("CUDA_HOME", "/opt/cuda")
    with offer_toolkit(Target.CUDA):
        assert os.environ["CUDA_HOME"] == "/opt/cuda"
    assert os.environ["CUDA_HOME"] == "/opt/cuda"


def test_the_simulator_needs_none(wheels):
    """In the simulator CUDA_HOME is not set."""
    with offer_toolkit(Target.SIMULATOR):
        assert "CUDA_HOME" not in os.environ


def test_without_wheels_numba_looks_for_itself(wheels, monkeypatch):
    """Where no wheels are installed, CUDA_HOME is not set."""
    monkeypatch.setattr(sysconfig, "get_path", lambda _name: str(wheels / "nvidia"))
    with offer_toolkit(Target.CUDA):
        assert "CUDA_HOME" not in os.environ
