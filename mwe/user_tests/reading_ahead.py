"""Reading functions once, for all the processes that are forked from this one."""

from __future__ import annotations

import gc
import os
from collections.abc import Collection, Iterator
from types import CodeType, FunctionType

from mwe.schedules.explore.instructions import find_points, find_writes
from mwe.schedules.explore.operands import Operands


def read_ahead(user_files: Collection[str]) -> None:
    """Find the points of the user's functions, and of the simulator that they launch with.

    Each trial would find them anew otherwise, which takes it longer than a launch. So does what
    tests compare arrays with, which numpy imports where it is first asked for.
    """
    import numpy.testing  # noqa: F401
    from numba import cuda

    folder = os.path.join(os.path.dirname(str(cuda.__file__)), "")
    for function in gc.get_objects():
        if type(function) is FunctionType:
            file = function.__code__.co_filename
            if file in user_files or file.startswith(folder):
                for code in _iter_nested(function.__code__):
                    find_points(code)
                    find_writes(code)
                    Operands(code)


def _iter_nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _iter_nested(constant)
