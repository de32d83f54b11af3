"""What trees and wheels say that they need."""

from __future__ import annotations

import zipfile

import pytest

from fixwatch.installing.as_of import ResolutionError
from fixwatch.installing.as_of_exceptions import find_requirements_beside
from fixwatch.installing.wheel_metadata import read_build_requirements, read_requirements

# Of numba-cuda 0.16.0, 0.24.0 and 0.0.12.
EXTRAS_ONLY = [
    "numba>=0.59.1",
    'cuda-bindings==12.9.*; extra == "cu12"',
    'cuda_core==0.3.*; extra == "cu12"',
    'cuda-bindings==11.8.*; extra == "cu11"',
]
FOR_EVERYBODY = ["numba>=0.60.0", "cuda-bindings>=12.9.1,<14.0.0", "cuda-core>=0.3.2,<1.0.0"]
NOTHING: list[str] = []


def read(folder, requirements):
    """Write a wheel with these requirements, and read it."""
    path = folder / "x-1-py3-none-any.whl"
    lines = "".join(f"Requires-Dist: {line}\n" for line in requirements)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x-1.dist-info/METADATA", f"Name: x\nVersion: 1\n{lines}")
    return read_requirements(path)


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        (EXTRAS_ONLY, ["cuda-bindings==12.9.*", "cuda-core==0.3.*"]),
        (FOR_EVERYBODY, []),
        (NOTHING, ["numba"]),
        (['numba; python_version < "3"'], ["numba"]),
    ],
)
def test_what_only_an_extra_names_comes_with_its_bounds(tmp_path, requirements, expected):
    """What no extra names comes without bounds; other upstreams get nothing."""
    assert find_requirements_beside("numba-cuda", read(tmp_path, requirements)) == expected
    assert find_requirements_beside("numba", read(tmp_path, requirements)) == []


def test_a_file_that_is_no_wheel_is_named(tmp_path):
    """A file that is no wheel is an error of the build, not of this program."""
    path = tmp_path / "x-1-py3-none-any.whl"
    path.write_text("no")
    with pytest.raises(ResolutionError, match=r"x-1-py3-none-any\.whl is not a wheel"):
        read_requirements(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, ["setuptools", "wheel", "numpy"]),
        ("[tool.x]\n", ["setuptools", "wheel", "numpy"]),
        ('[build-system]\nrequires = ["setuptools>=60", "wheel"]\n', ["setuptools>=60", "wheel"]),
    ],
)
def test_build_requirements_are_the_trees_own(tmp_path, text, expected):
    """A tree that names none is built as one of numba."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    assert read_build_requirements(tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[build-system\n", "cannot be read"),
        ('[build-system]\nrequires = ["x @ https://e.org/x.whl"]\n', "by URL"),
        ('[build-system]\nrequires = ["--index-url=x"]\n', "build-system.requires"),
        ("[build-system]\nrequires = 3\n", "build-system.requires"),
    ],
)
def test_build_requirements_that_make_no_sense_are_named(tmp_path, text, message):
    """Nothing but names and versions gets to the resolver."""
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(ResolutionError, match=message):
        read_build_requirements(tmp_path)
