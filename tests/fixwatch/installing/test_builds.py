"""Real builds of a small package with an extension, and when a wheel is used again."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import datetime, timezone
from pathlib import Path

import pytest

from fixwatch.installing.as_of import ResolutionError, create_environment
from fixwatch.installing.builds import build_commit, find_build

AS_OF = datetime(2024, 6, 1, tzinfo=timezone.utc)
SETUP = """
from setuptools import Extension, setup
setup(name="tiny", version="1", packages=["tiny"],
      ext_modules=[Extension("tiny.answer", ["tiny/answer.c"])])
"""
SOURCE = """
#include <Python.h>
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "answer", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_answer(void) {
    PyObject *result = PyModule_Create(&module);
    if (result) PyModule_AddIntConstant(result, "NUMBER", 41);
    return result;
}
"""

pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a compiler"),
]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """Return a small source tree."""
    folder = tmp_path_factory.mktemp("builds")
    source = folder / "source"
    (source / "tiny").mkdir(parents=True)
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools<70", "wheel"]\n'
    )
    (source / "setup.py").write_text(SETUP)
    (source / "tiny" / "__init__.py").write_text("text = 'one'\n")
    (source / "tiny" / "answer.c").write_text(SOURCE)
    return source


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Return an environment to build in."""
    folder = tmp_path_factory.mktemp("environment")
    return create_environment(folder / "env", Path(sys.executable))


@pytest.fixture(scope="module")
def built(source, environment, tmp_path_factory):
    """Return the build of the tree, and the folder that it went to."""
    folder = tmp_path_factory.mktemp("wheels")
    return build_commit(source, folder, AS_OF, (), environment), folder


def test_a_commit_is_built_with_packages_of_its_date(environment, built, tmp_path):
    """Its own bound and its date decide the build packages, and its wheel imports."""
    build, folder = built
    assert build.packages["setuptools"].startswith("69.")
    assert build.extensions == "compiled"
    with zipfile.ZipFile(folder / build.wheel) as archive:
        archive.extractall(tmp_path)
    code = "import tiny, tiny.answer; print(tiny.text, tiny.answer.NUMBER)"
    done = subprocess.run(
        [environment.python, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["one", "41"]


def test_a_wheel_is_used_again_under_the_same_conditions(environment, built, tmp_path, monkeypatch):
    """Other constraints or other compiler settings ask for another build."""
    build, folder = built
    assert find_build(folder, (), environment.python) == build
    assert find_build(folder, ["numpy<2"], environment.python) is None
    assert find_build(tmp_path, (), environment.python) is None
    monkeypatch.setenv("CFLAGS", "-O0")
    assert find_build(folder, (), environment.python) is None


def test_a_build_that_fails_says_why(source, environment, tmp_path):
    """The error ends with the compiler's own words."""
    (source / "tiny" / "answer.c").write_text("#error nothing to see here\n")
    with pytest.raises(ResolutionError, match="nothing to see here"):
        build_commit(source, tmp_path, AS_OF, (), environment)
