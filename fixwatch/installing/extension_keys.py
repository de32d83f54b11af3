"""The key of compiled extensions: everything that a build of them depends on.

A wrong reuse would run silently, so what is not known to be harmless is part of the key.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

FORMAT_VERSION = 1
TIMEOUT_S = 60.0

# Prose, data of documents, and configurations of services; no compiler reads them.
_HARMLESS_SUFFIXES = frozenset({
    ".bat", ".css", ".html", ".ipynb", ".js", ".lock", ".md", ".png", ".ps1", ".pyi", ".rst",
    ".svg", ".txt", ".yaml", ".yml",
})  # fmt: skip
_HARMLESS_NAMES = frozenset({"CHANGE_LOG", "CODEOWNERS", "LICENSE"})
_HARMLESS_FOLDERS = frozenset(
    {".devcontainer", ".github", "buildscripts", "ci", "conda", "contrib", "docs", "maint"}
)
# Variables of the environment by which setuptools, compilers and these build scripts are steered.
_VARIABLES = frozenset({
    "AR", "ARCHFLAGS", "ARFLAGS", "CC", "CFLAGS", "CONDA_PREFIX", "CPATH", "CPLUS_INCLUDE_PATH",
    "CPP", "CPPFLAGS", "CXX", "CXXFLAGS", "C_INCLUDE_PATH", "GCC_EXEC_PREFIX", "INCLUDE", "LD",
    "LDCXXSHARED", "LDFLAGS", "LDSHARED", "LIB", "LIBRARY_PATH", "LIBPATH",
    "MACOSX_DEPLOYMENT_TARGET", "PREFIX", "SDKROOT", "SOURCE_DATE_EPOCH", "TBBROOT",
})  # fmt: skip
_VARIABLE_PREFIXES = ("DISTUTILS_", "NPY_", "NUMBA_", "SETUPTOOLS_", "VSCMD_", "_PYTHON_")

_DESCRIBE_PYTHON = """
import json, platform, sys, sysconfig
names = ("CC", "CXX", "CFLAGS", "OPT", "LDSHARED", "LDCXXSHARED", "CCSHARED", "EXT_SUFFIX", "AR")
print(json.dumps({
    "version": sys.version, "platform": sysconfig.get_platform(), "machine": platform.machine(),
    "libc": " ".join(platform.libc_ver()), "cache_tag": sys.implementation.cache_tag,
    **{name: str(sysconfig.get_config_var(name)) for name in names},
}))
"""


@dataclass(frozen=True, kw_only=True)
class ExtensionKey:
    """What compiled extensions depend on.

    Attributes
    ----------
    sources
        Git's hash of each file that a build may read, by path.
    build_packages
        Version of each package in the build environment, NumPy and setuptools among them.
    python
        Version, platform, and how extensions are compiled for it.
    compilers
        What each compiler says of itself.
    variables
        The variables of the environment that steer builds.
    """

    sources: Mapping[str, str]
    build_packages: Mapping[str, str]
    python: Mapping[str, str]
    compilers: Mapping[str, str]
    variables: Mapping[str, str]

    @property
    def digest(self) -> str:
        """The key as a name, hexadecimal."""
        text = json.dumps({"version": FORMAT_VERSION, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def describe_builder(python: Path) -> str:
    """Return a digest of all that builds depend on but the sources and the build packages."""
    described = _describe_python(python)
    commands = _find_compilers(described)
    parts = [described, {each: _describe_compiler(each) for each in commands}, _find_variables()]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def describe_key(
    files: Mapping[str, str],
    scripts: Mapping[str, str],
    build_packages: Mapping[str, str],
    python: Path,
) -> ExtensionKey | None:
    """Return the key of a source tree; None where a compiler cannot be described.

    Parameters
    ----------
    files
        Git's hash of each file of the tree, by path.
    scripts
        The text of the Python files at the top of the tree.
    build_packages
        As in the key.
    python
        The interpreter that extensions are built for.
    """
    described = _describe_python(python)
    compilers = {command: _describe_compiler(command) for command in _find_compilers(described)}
    if not compilers or not all(compilers.values()):
        return None
    read = find_build_inputs(files, scripts)
    return ExtensionKey(
        sources={path: files[path] for path in sorted(read)},
        build_packages=dict(sorted(build_packages.items())),
        python=described,
        compilers=compilers,
        variables=_find_variables(),
    )


def _find_compilers(described: Mapping[str, str]) -> list[str]:
    commands = {each for each in (described["CC"], described["CXX"]) if each != "None"}
    commands |= {os.environ[name] for name in ("CC", "CXX") if os.environ.get(name)}
    return sorted(commands)


def _find_variables() -> dict[str, str]:
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name in _VARIABLES or name.startswith(_VARIABLE_PREFIXES)
    }


def find_build_inputs(files: Mapping[str, str], scripts: Mapping[str, str]) -> set[str]:
    """Return the files of a tree that a build of its extensions may read.

    The package's Python files are not among them, unless a script at the top imports the package
    or names the file.
    """
    read = {path for path in files if not _is_harmless(PurePosixPath(path))}
    text = "\n".join(scripts.values())
    imported = {name for script in scripts.values() for name in _find_imports(script)}
    for path in files:
        pure = PurePosixPath(path)
        if pure.suffix != ".py" or path in read:
            continue
        is_named = path in text or (pure.name != "__init__.py" and pure.name in text)
        if is_named or pure.parts[0] in imported:
            read.add(path)
    return read


def _is_harmless(path: PurePosixPath) -> bool:
    if len(path.parts) == 1:
        # Build scripts and their settings stand at the top.
        if path.suffix in {".py", ".toml", ".cfg", ".in"}:
            return False
        return path.name.startswith(".") or _is_harmless_name(path)
    return path.parts[0] in _HARMLESS_FOLDERS or path.suffix == ".py" or _is_harmless_name(path)


def _is_harmless_name(path: PurePosixPath) -> bool:
    return path.suffix in _HARMLESS_SUFFIXES or path.name in _HARMLESS_NAMES


def _find_imports(script: str) -> set[str]:
    """Return the top-level names of what a script imports; of one that does not parse, none."""
    try:
        tree = ast.parse(script)
    except (SyntaxError, ValueError):
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@functools.cache
def _describe_python(python: Path) -> dict[str, str]:
    output = subprocess.run(
        [python, "-I", "-c", _DESCRIBE_PYTHON],
        check=True,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    ).stdout
    described: dict[str, str] = json.loads(output)
    return described


@functools.cache
def _describe_compiler(command: str) -> str:
    """Return what a compiler prints of its version and configuration, nothing if it cannot."""
    try:
        completed = subprocess.run(
            [*command.split(), "-v"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return completed.stderr.strip() if completed.returncode == 0 else ""
