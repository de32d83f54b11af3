"""Which upstream a source tree is, read from its metadata without running any of it."""

from __future__ import annotations

import ast
import configparser
import sys
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def find_project_name(tree: Path) -> str | None:
    """Return the name that a source tree is built under, canonical; None if it states none.

    In the order of precedence that setuptools has: ``pyproject.toml``, ``setup.cfg``, ``setup.py``.
    """
    names = (*_read_pyproject(tree), *_read_setup_cfg(tree), *_read_setup_script(tree))
    return canonicalize_name(names[0]) if names else None


def _read_pyproject(tree: Path) -> Iterator[str]:
    try:
        data = tomllib.loads(_read(tree / "pyproject.toml"))
    except tomllib.TOMLDecodeError:
        return
    project = data.get("project")
    if isinstance(project, dict) and isinstance(project.get("name"), str):
        yield project["name"]


def _read_setup_cfg(tree: Path) -> Iterator[str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(_read(tree / "setup.cfg"))
    except configparser.Error:
        return
    if parser.has_option("metadata", "name"):
        yield parser.get("metadata", "name").strip()


def _read_setup_script(tree: Path) -> Iterator[str]:
    try:
        script = ast.parse(_read(tree / "setup.py"))
    except (SyntaxError, ValueError, RecursionError):
        return
    # An Extension's name is another thing.
    for node in ast.walk(script):
        match node:
            case ast.Call(func=ast.Name(id="setup" | "dict"), keywords=keywords):
                for keyword in keywords:
                    match keyword:
                        case ast.keyword(arg="name", value=ast.Constant(value=str(name))):
                            yield name


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    except OSError:
        return ""
