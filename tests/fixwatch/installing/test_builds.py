"""Real builds of a small package with an extension, and the reuse of what was compiled."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from datetime import datetime, timezone

import pytest

from fixwatch.installing.as_of import ResolutionError
from fixwatch.installing.builds import BuildPlace, build_commit, find_build
from fixwatch.installing.extension_cache import ExtensionCache, place_for_build, read_extensions
from fixwatch.installing.extension_keys import ExtensionKey

AS_OF = datetime(2024, 6, 1, tzinfo=timezone.utc)
SETUP = """
from setuptools import Extension, setup
setup(name="tiny", version="1", packages=["tiny"],
      ext_modules=[Extension("tiny.answer", ["tiny/answer.c"])])
"""
SOURCE = """
#include <Python.h>
#include "number.h"
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "answer", NULL, -1, NULL};
PyMODINIT_FUNC PyInit_answer(void) {
    PyObject *result = PyModule_Create(&module);
    if (result) PyModule_AddIntConstant(result, "NUMBER", NUMBER);
    return result;
}
"""


class Tree:
    """A small repository and the environment that it is built in."""

    def __init__(self, folder):
        self.folder = folder
        self.source = folder / "source"
        self.cache = ExtensionCache(folder / "extensions")
        self.environment = folder / "env"
        command = [sys.executable, "-m", "virtualenv", "-q", self.environment]
        subprocess.run(command, check=True)
        self.python = next(self.environment.glob("[bS]*/python*"))
        self.n_builds = 0
        (self.source / "tiny").mkdir(parents=True)
        self.git("init", "-q")
        self.write("pyproject.toml", '[build-system]\nrequires = ["setuptools<70", "wheel"]\n')
        self.write(".gitignore", "build/\n*.egg-info/\n")
        self.write("setup.py", SETUP)
        self.write("tiny/__init__.py", "text = 'one'\n")
        self.write("tiny/answer.c", SOURCE)
        self.write("tiny/number.h", "#define NUMBER 41\n")

    def git(self, *arguments):
        """Run git and return its output."""
        command = ["git", "-C", self.source, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def write(self, path, text):
        """Change a file."""
        (self.source / path).write_text(text)

    def build(self):
        """Build what is there from a clean tree; return the build and its wheel."""
        self.git("add", "-A")
        self.git("clean", "-fdxq")
        entries = [line.split("\t") for line in self.git("ls-files", "-s").splitlines()]
        place = BuildPlace(
            environment=self.environment,
            python=self.python,
            source=self.source,
            files={path: description.split()[1] for description, path in entries},
        )
        self.n_builds += 1
        destination = self.folder / f"wheels-{self.n_builds}"
        destination.mkdir()
        build = build_commit(place, destination, AS_OF, (), self.cache)
        assert find_build(destination, (), self.python) == build
        return build, destination / build.wheel

    def run(self, wheel):
        """Import the package from a wheel; return what it says."""
        unpacked = self.folder / f"{wheel.parent.name}-unpacked"
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(unpacked)
        code = "import tiny, tiny.answer; print(tiny.text, tiny.answer.NUMBER)"
        command = [self.python, "-c", code]
        return subprocess.run(
            command, cwd=unpacked, check=True, capture_output=True, text=True
        ).stdout.split()


pytestmark = [
    pytest.mark.end_to_end,
    pytest.mark.skipif(sys.platform == "win32", reason="needs a compiler that describes itself"),
]


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a tree that was built once."""
    tree = Tree(tmp_path_factory.mktemp("builds"))
    build, wheel = tree.build()
    assert build.extensions == "compiled"
    assert tree.run(wheel) == ["one", "41"]
    # The commit's own bound and its date decide what it is built with.
    assert build.packages["setuptools"].startswith("69.")
    return tree


def test_a_changed_python_file_reuses_the_extension(tree):
    """The Python file is the new one, the extension the very same."""
    before, wheel = tree.build()
    tree.write("tiny/__init__.py", "text = 'two'\n")
    after, new_wheel = tree.build()
    assert (after.extensions, after.extension_key) == ("reused", before.extension_key)
    assert read_extensions(new_wheel) == read_extensions(wheel)
    assert tree.run(new_wheel) == ["two", "41"]


def test_a_changed_header_misses_the_cache(tree):
    """setuptools is not told of the header, so nothing but the key can know."""
    tree.write("tiny/number.h", "#define NUMBER 41\n")
    before, _ = tree.build()
    tree.write("tiny/number.h", "#define NUMBER 42\n")
    after, wheel = tree.build()
    assert after.extensions == "compiled"
    assert after.extension_key != before.extension_key
    assert tree.run(wheel)[1] == "42"
    # And back again, the first one's is still there.
    tree.write("tiny/number.h", "#define NUMBER 41\n")
    again, wheel = tree.build()
    assert (again.extensions, again.extension_key) == ("reused", before.extension_key)
    assert tree.run(wheel)[1] == "41"


def test_a_changed_build_script_misses_the_cache(tree):
    """It may compile the same sources with other macros."""
    before, _ = tree.build()
    macro = '["tiny/answer.c"], define_macros=[("NUMBER", "7")]'
    tree.write("setup.py", SETUP.replace('["tiny/answer.c"]', macro))
    tree.write("tiny/number.h", "")
    after, wheel = tree.build()
    tree.write("setup.py", SETUP)
    tree.write("tiny/number.h", "#define NUMBER 41\n")
    assert after.extensions == "compiled"
    assert after.extension_key != before.extension_key
    assert tree.run(wheel)[1] == "7"


def test_a_damaged_entry_is_compiled_again(tree):
    """What a full disk or a stray hand left is not put into a wheel."""
    build, _ = tree.build()
    kept = tree.cache.root / build.extension_key / "0"
    kept.write_bytes(kept.read_bytes()[:1000])
    again, wheel = tree.build()
    assert again.extensions == "compiled"
    assert tree.run(wheel)[1] == "41"
    assert tree.build()[0].extensions == "reused"


def test_a_build_that_fails_says_why(tree):
    """With the compiler's own words."""
    tree.write("tiny/answer.c", "#error nothing to see here\n")
    with pytest.raises(ResolutionError, match="nothing to see here"):
        tree.build()
    tree.write("tiny/answer.c", SOURCE)


def test_a_build_under_other_constraints_is_not_used_again(tmp_path, tree):
    """When the table of exceptions changes, what was built before it is built again."""
    tree.build()
    folder = tree.folder / f"wheels-{tree.n_builds}"
    assert find_build(folder, ["numpy<2"], tree.python) is None
    assert find_build(tmp_path, (), tree.python) is None


def test_a_wheel_of_another_compiler_or_setting_is_not_used_again(tree, monkeypatch):
    """What the extensions' key tells apart, a cached wheel must not join."""
    tree.build()
    folder = tree.folder / f"wheels-{tree.n_builds}"
    assert find_build(folder, (), tree.python) is not None
    monkeypatch.setenv("CFLAGS", "-O0")
    assert find_build(folder, (), tree.python) is None


def test_an_extension_never_leaves_the_build_folder(tmp_path):
    """A wheel's member names are upstream's."""
    key = ExtensionKey(
        sources={},
        build_packages={},
        python={"platform": "p", "cache_tag": "c"},
        compilers={},
        variables={},
    )
    with pytest.raises(ValueError, match="leads out of the build folder"):
        place_for_build({"../../../x.so": b""}, tmp_path / "source", key)
    assert list(tmp_path.iterdir()) == []
