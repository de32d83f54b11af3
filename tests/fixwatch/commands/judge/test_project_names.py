"""Which upstream a tree is, from its metadata alone."""

from __future__ import annotations

import pytest

from fixwatch.commands.judge.project_names import find_project_name


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"pyproject.toml": '[project]\nname = "numba_cuda"\n'}, "numba-cuda"),
        ({"setup.cfg": "[metadata]\nname = numba\n"}, "numba"),
        ({"setup.py": "metadata = dict(name='numba', version='1')\nsetup(**metadata)\n"}, "numba"),
        ({"setup.py": "setup(name='numba', ext_modules=[Extension(name='other')])"}, "numba"),
        ({"setup.py": "Extension(name='numba._helperlib')"}, None),
        ({"setup.py": "setup(name=find_name())"}, None),
        ({"setup.py": "setup(name='numba'"}, None),
        ({"pyproject.toml": "[project\n", "setup.py": "setup(name='numba')"}, "numba"),
        (
            {"pyproject.toml": '[project]\nname = "other"\n', "setup.py": "setup(name='numba')"},
            "other",
        ),
        ({}, None),
    ],
)
def test_the_name_that_a_tree_is_built_under(tmp_path, files, name):
    """The name is read from pyproject.toml, setup.cfg or setup.py, none of which is run."""
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    assert find_project_name(tmp_path) == name
