"""What the documents name exists, and they stay short."""

from __future__ import annotations

import ast
import re
import sys

import pytest

from fixwatch.__main__ import COMMANDS
from tests.project import ROOT

DOCUMENTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((ROOT / "docs").glob("*.md")),
]
# What a program writes, and a folder of upstream's.
ELSEWHERE = ("html/", ".venv/", ".fixwatch/", "numba/cuda")
PATH = re.compile(r"`((?:[\w.-]+/)+[\w.*-]*)`")
LINK = re.compile(r"\]\(((?!https?:|#)[^)#]+)(?:#([^)]+))?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_names_exists(document):
    """Paths in backticks are those of the repository, and links lead to files and headings."""
    text = document.read_text(encoding="utf-8")
    named = [path for path in PATH.findall(text) if not path.startswith(ELSEWHERE)]
    assert [path for path in named if not (ROOT / path).exists()] == []
    for path, heading in LINK.findall(text):
        target = document.parent / path
        assert target.exists(), path
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            anchors = [
                re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in headings
            ]
            assert heading in anchors


def test_every_command_is_described():
    """docs/commands.md has one row for each command."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    described = re.findall(r"^\| `([a-z]+)(?: [A-Z.]+)?` \|", text, re.MULTILINE)
    assert sorted(described) == sorted(command.__name__.split(".")[2] for command in COMMANDS)


def test_packages_import_only_what_stands_above_them():
    """The order of packages in CONTRIBUTING.md is that of their imports."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    packages = re.findall(r"^\| `fixwatch/(\w+)/` \|", text, re.MULTILINE)
    assert sorted(packages) == sorted(
        path.parent.name for path in (ROOT / "fixwatch").glob("*/__init__.py")
    )
    for place, package in enumerate(packages):
        imported = list_imports(ROOT / "fixwatch" / package)
        below = {f"fixwatch.{name}" for name in packages[place + 1 :]}
        assert below & {".".join(name.split(".")[:2]) for name in imported} == set(), package


def test_the_reproducer_knows_nobody_and_few_know_it():
    """What is measured with runs in environments that have numpy and numba alone."""
    standing_alone = list_foreign("mwe/workloads/local_array/reproducer")
    assert standing_alone == {"allocator", "kernel", "numba", "numpy", "pytest"}
    assert list_foreign("mwe") - standing_alone == {"mwe"}
    assert list_foreign("benchmarks") == {"benchmarks", "mwe"}
    assert "numba" not in list_foreign("fixwatch")
    for path in (ROOT / "fixwatch").glob("*/__init__.py"):
        package = path.parent.name
        imported = {name for name in list_imports(path.parent) if name.startswith("mwe")}
        if package not in ("asv_adapter", "commands"):
            # What the defects are, and nothing that measures them.
            assert all(name.startswith("mwe.defects.") for name in imported), package
            assert package in ("verdicts", "report") or not imported, package


def test_the_first_command_installs_what_the_reproducer_imports():
    """The project depends on what `python -m mwe` needs; pytest is for the suite to hand out."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    dependencies = text.partition("\ndependencies = [\n")[2].partition("\n]")[0]
    installed = set(re.findall(r'^  "([\w-]+)', dependencies, re.MULTILINE))
    assert list_foreign("mwe") - installed == {"allocator", "kernel", "mwe", "pytest"}


def list_foreign(folder):
    """Return what a folder's files import that is no part of Python."""
    imported = {name.partition(".")[0] for name in list_imports(ROOT / folder)}
    return imported - sys.stdlib_module_names


def list_imports(folder):
    """Return the modules that the files below a folder import."""
    names = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def test_every_step_of_the_walk_of_a_batch_names_what_its_module_has():
    """A renamed function or method is missed in CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    walk = text.partition("## A walk of one batch")[2].partition("\n## ")[0]
    steps = re.findall(r"^\| .+ \| `([\w/.]+)` \| (.+) \|$", walk, re.MULTILINE)
    assert len(steps) > 20
    for module, names in steps:
        known = list_names(ast.parse((ROOT / module).read_text(encoding="utf-8")))
        for name in re.findall(r"`([\w.]+)`", names):
            assert name in known, f"{module} has no {name}"


def list_names(module):
    """Return the functions and classes of a module, and the methods with their class."""
    names = set()
    for node in module.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        if isinstance(node, ast.ClassDef):
            methods = (part.name for part in node.body if isinstance(part, ast.FunctionDef))
            names.update(f"{node.name}.{method}" for method in methods)
    return names


def test_the_readme_and_the_method_stay_short():
    """The README is a front door, and the method has rules without figures."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
    assert len((ROOT / "docs" / "method.md").read_text(encoding="utf-8").split()) <= 3000
