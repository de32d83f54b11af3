"""Which files are the user's own: those below pytest's root folder, its environments left out."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Collection, Iterator
from pathlib import Path
from types import ModuleType

from mwe.workloads.subject import GuardedGlobal


class FilesBelow(Collection[str]):
    """The Python files below a folder, as far as this process has asked for them.

    Files of a Python or an environment that lies in the folder are not the user's, unless they are
    test files that were asked for: tests may come in a package.
    """

    def __init__(self, folder: Path, test_files: Collection[str] = ()) -> None:
        self._folder = _end(str(folder))
        paths = sysconfig.get_paths()
        libraries = {sys.prefix, paths["stdlib"], paths["purelib"], paths["platlib"]}
        self._libraries = tuple(
            library for library in map(_end, libraries) if library.startswith(self._folder)
        )
        self._known: dict[str, bool] = dict.fromkeys(test_files, True)

    def __contains__(self, file: object) -> bool:
        if not isinstance(file, str):
            return False
        try:
            return self._known[file]
        except KeyError:
            is_own = file.startswith(self._folder) and not file.startswith(self._libraries)
            self._known[file] = is_own
            return is_own

    def __iter__(self) -> Iterator[str]:
        return (file for file, is_own in self._known.items() if is_own)

    def __len__(self) -> int:
        return sum(self._known.values())


def _end(folder: str) -> str:
    return os.path.join(os.path.realpath(folder), "")


def find_guarded_globals(user_files: Collection[str]) -> list[GuardedGlobal]:
    """Return the globals of the user's modules that are `numba.cuda`, under whatever name.

    Raises
    ------
    ImportError
        If numba is missing.
    """
    from numba import cuda

    found = []
    for module in list(sys.modules.values()):
        if isinstance(module, ModuleType) and getattr(module, "__file__", None) in user_files:
            for name, value in list(vars(module).items()):
                if value is cuda:
                    found.append(GuardedGlobal(module, name, cuda))
    return found
