"""The key of compiled extensions: what changes it, and what does not."""

from __future__ import annotations

import os
import sys
from dataclasses import fields, replace
from pathlib import Path

import pytest

from fixwatch.installing.extension_keys import ExtensionKey, describe_key, find_build_inputs

SETUP = "from setuptools import setup\nimport versioneer\nsetup()\n"
FILES = {
    "setup.py": "1",
    "versioneer.py": "2",
    "pyproject.toml": "3",
    "README.rst": "4",
    ".flake8": "5",
    "CHANGE_LOG": "6",
    "numba/_helperlib.c": "7",
    "numba/_pymodule.h": "8",
    "numba/core/typeconv/typeconv.hpp": "9",
    "numba/tables.inc": "10",
    "numba/__init__.py": "11",
    "numba/core/config.py": "12",
    "numba/VERSION": "13",
    "docs/source/conf.py": "14",
    "docs/source/figure.c": "15",
    ".github/workflows/ci.yml": "16",
}
HARMLESS = {
    "README.rst",
    ".flake8",
    "CHANGE_LOG",
    "numba/__init__.py",
    "numba/core/config.py",
    "docs/source/conf.py",
    "docs/source/figure.c",
    ".github/workflows/ci.yml",
}


def test_all_but_what_is_known_to_be_harmless_is_read():
    """A file of a kind nobody has thought of is part of the key."""
    assert find_build_inputs(FILES, {"setup.py": SETUP}) == FILES.keys() - HARMLESS


def test_a_build_script_that_imports_the_package_reads_all_of_it():
    """Then its Python files decide what is compiled."""
    read = find_build_inputs(FILES, {"setup.py": SETUP + "from numba.core import config\n"})
    assert {"numba/__init__.py", "numba/core/config.py"} <= read
    assert "docs/source/conf.py" not in read


def test_a_python_file_that_a_build_script_names_is_read():
    """As in exec(open(...).read())."""
    script = SETUP + "exec(open('numba/core/config.py').read())\n"
    assert "numba/core/config.py" in find_build_inputs(FILES, {"setup.py": script})


KEY = ExtensionKey(
    sources={"a.c": "1"},
    build_packages={"numpy": "2.0.0"},
    python={"version": "3.11"},
    compilers={"gcc": "gcc 12"},
    variables={"CFLAGS": "-O2"},
)


@pytest.mark.parametrize("field", [field.name for field in fields(ExtensionKey)])
def test_each_part_changes_the_key(field):
    """Contents, names, and what is there at all."""
    (name,) = getattr(KEY, field)
    others = [replace(KEY, **{field: changed}) for changed in ({name: "x"}, {"x": "1"}, {})]
    assert len({KEY.digest, *(other.digest for other in others)}) == 4


def describe(files=None, packages=None):
    """Describe the key for the running interpreter."""
    tools = packages or {"numpy": "2.0.0", "setuptools": "70"}
    return describe_key(files or FILES, {"setup.py": SETUP}, tools, Path(sys.executable))


def compiler(folder, version):
    """Write a compiler that says of itself that it is of a version; return its path."""
    path = folder / f"cc-{version}"
    path.write_text(f"#!/bin/sh\necho version {version} >&2\n")
    path.chmod(0o755)
    return str(path)


@pytest.fixture
def plain_environment(monkeypatch, tmp_path):
    """Take away what the machine's own environment says of builds, and give it a compiler."""
    for name in ("CFLAGS", "CXX", "LDFLAGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CC", compiler(tmp_path, 1))


@pytest.mark.skipif(sys.platform == "win32", reason="the compiler of this test is a shell script")
@pytest.mark.usefixtures("plain_environment")
def test_the_key_follows_sources_packages_environment_and_compiler(monkeypatch, tmp_path):
    """Each is a miss; what is harmless is none."""
    if describe() is None:
        pytest.skip("this Python names a compiler that this machine does not have")
    keys = [describe(), describe({**FILES, "numba/_pymodule.h": "x"})]
    keys.append(describe(packages={"numpy": "2.0.1", "setuptools": "70"}))
    monkeypatch.setenv("CFLAGS", "-O0")
    keys.append(describe())
    monkeypatch.delenv("CFLAGS")
    monkeypatch.setenv("CC", compiler(tmp_path, 2))
    keys.append(describe())
    assert len({key.digest for key in keys}) == 5
    monkeypatch.setenv("CC", compiler(tmp_path, 1))
    assert describe({**FILES, "numba/core/config.py": "x"}).digest == keys[0].digest


def test_without_a_compiler_that_describes_itself_nothing_is_kept(monkeypatch):
    """No key rather than an incomplete one."""
    monkeypatch.setenv("CC", os.path.join(os.sep, "nowhere", "cc"))
    assert describe() is None
