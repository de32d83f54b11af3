"""Repairs the races of Numba's CUDA simulator in a running process, for test suites.

Copy this file into your project; it needs nothing beside Python. Then either

- run ``python -m pytest -p cudasim_shield``, or put ``pytest_plugins = ["cudasim_shield"]`` into
  the ``conftest.py`` of your root folder: the report's header says what was repaired, or
- call ``cudasim_shield.install()`` before the first launch, which logs it.

Without ``NUMBA_ENABLE_CUDASIM`` it does nothing, not even import numba. It replaces a function only
if it knows that function's source, by the digests below: those of the releases of numba and
numba-cuda. What upstream has mended it leaves alone, and what it does not know, too.

It repairs four defects:

cuda-swap
    Each call of a device function swaps its module's global ``cuda`` for a fake and puts it back,
    whoever else is inside. Now the calls inside are counted, under a lock.
shared-split
    Threads of a block that make a shared array at the same moment may each get one of their own.
    Now a lock is held from the look-up to the store.
mixed-atomics
    Atomics of different kinds lose each other's updates, as each kind has a lock. Now all share it.
host-launch
    A launch beside another host thread's is refused, or taken for a call of a device function. Now
    launches take turns, and each keeps the grid that it was given.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import importlib.metadata
import inspect
import logging
import os
import sys
import textwrap
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

NAME = "cudasim-shield"
VERSION = "1"
VARIABLE = "NUMBA_ENABLE_CUDASIM"
_LOGGER = logging.getLogger("cudasim_shield")
# On upstream's module, for whoever installs a shield again, this file or a copy of it.
_MARK = "_cudasim_shield"
_LOCKS = (
    *("addlock", "sublock", "andlock", "orlock", "xorlock", "maxlock", "minlock"),
    *("compare_and_swaplock", "caslock", "inclock", "declock", "exchlock"),
)

# By defect: the digests of the sources that are known, and the releases that have them.
# begin: known sources, written by scripts.know_sources from the releases' wheels
AFFECTED: dict[str, dict[str, str]] = {
    "cuda-swap": {
        "da8cd9cfee14d80c": "numba 0.57.0 to 0.68.1; numba-cuda 0.0.12 to 0.24.0",
    },
    "shared-split": {
        "9095b4a2269b0ef9": "numba 0.57.0 to 0.68.1; numba-cuda 0.0.12 to 0.8.1",
        "9f29f7097e87b46d": "numba-cuda 0.9.0 to 0.12.1",
        "c2e124bd1c7cfa77": "numba-cuda 0.13.0 to 0.26.0",
        "8985507f1fbf406b": "numba-cuda 0.27.0 to 0.30.4",
    },
    "mixed-atomics": {
        "7150cc58cb3e7b4b": "numba 0.57.0 to 0.68.1; numba-cuda 0.0.12 to 0.26.0",
        "627013a6905e03cf": "numba-cuda 0.27.0 to 0.30.4",
    },
    "host-launch": {
        "e7e14f1417d01989": "numba 0.57.0 to 0.68.1; numba-cuda 0.0.12 to 0.8.1",
        "d845ca9c9965c5e5": "numba-cuda 0.9.0 to 0.12.1",
        "eadd9d5c29f5a91f": "numba-cuda 0.13.0 to 0.20.1",
        "f948aa7b16a524f8": "numba-cuda 0.21.1 to 0.30.4",
    },
}
MENDED: dict[str, dict[str, str]] = {
    "cuda-swap": {
        "189e7126e58d6cf6": "numba-cuda 0.26.0 to 0.30.4",
    },
}
# end: known sources


@dataclass(frozen=True)
class Report:
    """What was done about each defect.

    Attributes
    ----------
    upstream
        The simulator's distribution and version; empty where nothing was looked at.
    repaired
        Defects that the shield has repaired in this process.
    mended
        Defects that upstream has mended itself.
    unknown
        Defects about which nothing was done, as the source is of no release that is known.
    obstacle
        Why nothing was looked at; empty otherwise.
    """

    upstream: str = ""
    repaired: tuple[str, ...] = ()
    mended: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    obstacle: str = ""

    @property
    def line(self) -> str:
        """All of it, in a line."""
        if self.obstacle:
            return f"cudasim_shield: nothing done: {self.obstacle}"
        parts = [
            f"{what} {', '.join(defects)}"
            for what, defects in (
                ("repaired", self.repaired),
                ("mended by upstream:", self.mended),
                ("refused, as the source is not that of a release it knows:", self.unknown),
            )
            if defects
        ]
        return f"cudasim_shield: {self.upstream}: {'; '.join(parts)}"


def install() -> Report:
    """Repair what is known, once in a process; return what was done, and log it.

    It imports ``numba.cuda`` if ``NUMBA_ENABLE_CUDASIM`` asks for the simulator.
    """
    if os.environ.get(VARIABLE, "").strip() in ("", "0"):
        return Report(obstacle=f"{VARIABLE} is not set")
    try:
        from numba import config, cuda  # noqa: F401 (it decides which simulator there is)
    except ImportError as error:
        return Report(obstacle=f"numba.cuda does not import ({error})")
    if not config.ENABLE_CUDASIM:
        return Report(obstacle=f"numba was imported before {VARIABLE} was set")
    try:
        from numba.cuda.simulator import kernel, kernelapi
    except ImportError as error:
        return Report(obstacle=f"the simulator is not where it was ({error})")
    report: Report | None = getattr(kernelapi, _MARK, None)
    if report is None:
        report = _repair(kernel, kernelapi)
        setattr(kernelapi, _MARK, report)
        _LOGGER.log(logging.WARNING if report.unknown else logging.INFO, report.line)
    return report


def _repair(kernel: Any, kernelapi: Any) -> Report:
    # All are looked at before the first is repaired.
    found = {defect: _look(defect, kernel, kernelapi) for defect in REPAIRS}
    for defect, state in found.items():
        if state == "affected":
            REPAIRS[defect].apply(kernel, kernelapi)

    def name(state: str) -> tuple[str, ...]:
        return tuple(defect for defect in found if found[defect] == state)

    path = kernelapi.__file__.replace("\\", "/")
    distribution = "numba-cuda" if "/numba_cuda/numba/cuda/" in path else "numba"
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        version = "of an unknown version"
    return Report(
        upstream=f"{distribution} {version}",
        repaired=name("affected"),
        mended=name("mended"),
        unknown=name("unknown"),
    )


def _look(defect: str, kernel: Any, kernelapi: Any) -> str:
    """Return whether upstream's code is ``affected``, ``mended`` or ``unknown``."""
    modules = {"kernel": kernel, "kernelapi": kernelapi}
    try:
        swaps = (kernel.swapped_cuda_module, kernelapi.swapped_cuda_module)
        if defect == "cuda-swap" and swaps[0] is not swaps[1]:
            return "unknown"  # a work-around has replaced one of the two
        found = digest(_read_source(modules, subject) for subject in REPAIRS[defect].subjects)
        is_one_lock = len({id(getattr(kernelapi, name)) for name in _LOCKS}) == 1
    except (AttributeError, OSError, TypeError):
        return "unknown"
    if found in MENDED.get(defect, {}) or (defect == "mixed-atomics" and is_one_lock):
        return "mended"
    return "affected" if found in AFFECTED[defect] else "unknown"


def _read_source(modules: dict[str, Any], subject: str) -> str:
    module, *names = subject.split(".")
    found = modules[module]
    for name in names:
        found = getattr(found, name)
    return inspect.getsource(inspect.unwrap(found))


def digest(sources: Iterable[str]) -> str:
    """Return what tells sources apart, whatever their comments, empty lines and indentation are."""
    lines = [
        line.rstrip()
        for source in sources
        for line in textwrap.dedent(source).splitlines()
        if line.strip() and not line.lstrip().startswith("#")
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _count_calls_inside(kernel: Any, kernelapi: Any) -> None:
    """Have the first call inside a module swap, and the last one put back: cuda-swap."""
    lock = threading.Lock()
    # By id of the globals: calls inside, what was replaced, and by what.
    swapped: dict[int, list[Any]] = {}

    @contextlib.contextmanager
    def swapped_cuda_module(fn: Any, fake_cuda_module: Any) -> Iterator[None]:
        from numba import cuda

        namespace = fn.__globals__
        key = id(namespace)
        with lock:
            entry = swapped.get(key)
            if entry is None:
                # A copy, as a warning may add a global at any moment.
                everything = namespace.copy()
                originals = {name: value for name, value in everything.items() if value is cuda}
                entry = swapped[key] = [0, originals, None]
            if entry[2] is not fake_cuda_module:
                # A launch that failed leaves threads behind; this one is another.
                entry[2] = fake_cuda_module
                namespace.update(dict.fromkeys(entry[1], fake_cuda_module))
            entry[0] += 1
        try:
            yield
        finally:
            with lock:
                entry[0] -= 1
                if not entry[0]:
                    namespace.update(entry[1])
                    del swapped[key]

    # The second module has imported the name, and uses its own.
    kernelapi.swapped_cuda_module = kernel.swapped_cuda_module = swapped_cuda_module


def _lock_allocations(_kernel: Any, kernelapi: Any) -> None:
    """Hold a lock from the look-up of a shared array to its store: shared-split."""
    original = kernelapi.FakeCUDAShared.array
    lock = threading.Lock()

    def array(self: Any, shape: Any, dtype: Any, alignment: Any = None) -> Any:
        if shape == 0 or alignment is not None:
            # Dynamic shared memory is there from the beginning; an alignment is refused.
            return original(self, shape, dtype, *(() if alignment is None else (alignment,)))
        if isinstance(dtype, kernelapi.types.Type):
            dtype = kernelapi.numpy_support.as_dtype(dtype)
        frame = sys._getframe(1)
        caller = (frame.f_code.co_filename, frame.f_lineno)
        with lock:
            found = self._allocations.get(caller)
            if found is None:
                found = self._allocations[caller] = kernelapi.np.empty(shape, dtype)
        return found

    kernelapi.FakeCUDAShared.array = array


def _share_one_lock(_kernel: Any, kernelapi: Any) -> None:
    """Have all kinds of atomics take the same lock: mixed-atomics.

    None of the operations calls another.
    """
    lock = threading.Lock()
    for name in _LOCKS:
        setattr(kernelapi, name, lock)


def _let_launches_take_turns(kernel: Any, _kernelapi: Any) -> None:
    """Run one launch after the other, each with the grid that it was given: host-launch."""
    launcher, simulated_thread = kernel.FakeCUDAKernel, kernel.BlockThread
    call, configure = launcher.__call__, launcher.__getitem__
    # A launch inside of one of the same thread is upstream's to judge.
    turn = threading.RLock()

    def renew_turn() -> None:
        nonlocal turn
        turn = threading.RLock()

    if hasattr(os, "register_at_fork"):
        # A thread whose launch runs is not there in the child.
        os.register_at_fork(after_in_child=renew_turn)

    def __call__(self: Any, *args: Any) -> Any:  # noqa: N807 (it takes that place)
        if self._device or isinstance(threading.current_thread(), simulated_thread):
            return call(self, *args)
        with turn:
            return call(self, *args)

    def __getitem__(self: Any, configuration: Any) -> Any:  # noqa: N807
        own = copy.copy(self)
        configure(own, configuration)
        # As upstream leaves it: `kernel(...)` then uses the grid that was given last.
        configure(self, configuration)
        return own

    launcher.__call__, launcher.__getitem__ = __call__, __getitem__


@dataclass(frozen=True)
class Repair:
    """How a defect is repaired.

    Attributes
    ----------
    subjects
        What of upstream's two modules it replaces or rests on; their source has to be known.
    apply
        Repairs it, given the modules `kernel` and `kernelapi`.
    """

    subjects: tuple[str, ...]
    apply: Callable[[Any, Any], None]


REPAIRS = {
    "cuda-swap": Repair(("kernelapi.swapped_cuda_module",), _count_calls_inside),
    "shared-split": Repair(("kernelapi.FakeCUDAShared",), _lock_allocations),
    "mixed-atomics": Repair(("kernelapi.FakeCUDAAtomic",), _share_one_lock),
    "host-launch": Repair(
        (
            "kernel._push_kernel_context",
            "kernel.FakeCUDAKernel.__call__",
            "kernel.FakeCUDAKernel.__getitem__",
        ),
        _let_launches_take_turns,
    ),
}


_said: list[str] = []


def pytest_configure() -> None:
    """Repair before test modules are imported."""
    install()


def pytest_report_header() -> str:
    """Say what was done at the top of pytest's report."""
    _said.append(install().line)
    return _said[-1]


def pytest_collection_modifyitems() -> None:
    """Repair where only a test module asks for the simulator."""
    install()


def pytest_report_collectionfinish() -> str | None:
    """Say what was done since."""
    line = install().line
    return None if line in _said else line
