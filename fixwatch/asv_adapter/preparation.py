"""Installing the next revision in a spare environment while another one is measured."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from fixwatch.installing.as_of import Environment, create_environment, find_site_packages
from fixwatch.records.install_record import InstallRecord
from fixwatch.run_lock import inherited_descriptors

# Measuring comes first.
NICENESS = 10
IMPORT_TIMEOUT_S = 60.0


class Preparation:
    """A spare environment, and the revision that it holds or is about to.

    Its packages are moved into the real one, with the bytecode of what an import loads, so that the
    processes that measure need not each compile numba.

    Parameters
    ----------
    path
        Where the spare environment is made; whatever is there is removed.
    python
        The interpreter that it is made of.
    variables
        What the environment's processes have besides.
    """

    def __init__(self, path: Path, python: Path, variables: Mapping[str, str]) -> None:
        self._path = path
        self._python = python
        self._variables = variables
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()  # of the two that follow
        self._is_awaited = False
        self._importing: subprocess.Popen[bytes] | None = None
        self._prepared: tuple[InstallRecord, Environment] | None = None

    def start(self, commit: str, install: Callable[[Environment], InstallRecord]) -> None:
        """Install a commit by a function that fills an environment, in a thread of its own.

        A failure is passed over: who then installs the commit itself meets it again, and says so.
        """
        if self._prepared is None or self._prepared[0].commit != commit:
            self._prepared = None
            self._is_awaited = False
            self._thread = threading.Thread(target=self._prepare, args=(install,), daemon=True)
            self._thread.start()

    def take(self, commit: str, environment: Environment) -> InstallRecord | None:
        """Move a commit's packages into an environment in place of its own, if they are ready.

        Returns what is installed then; None, and nothing has changed, if that is another commit.
        """
        if self._thread is not None:
            self._stop_compiling()
            self._thread.join()
            self._thread = None
        if self._prepared is None or self._prepared[0].commit != commit:
            return None
        record, spare = self._prepared
        self._prepared = None
        (place,), (prepared,) = map(find_site_packages, (environment.path, spare.path))
        shutil.rmtree(place)
        prepared.rename(place)
        return record

    def _prepare(self, install: Callable[[Environment], InstallRecord]) -> None:
        if sys.platform == "linux":
            # There it is a thread's own, and of the processes that it starts.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        try:
            spare = create_environment(self._path, self._python)
            record = install(spare)
            self._compile(spare)
        except Exception:
            return
        self._prepared = record, spare

    def _compile(self, spare: Environment) -> None:
        """Leave the bytecode of the modules that an import loads, whatever becomes of it."""
        variables = {**os.environ, **self._variables}
        variables.pop("PYTHONDONTWRITEBYTECODE", None)
        with self._lock:
            if self._is_awaited:
                return
            self._importing = subprocess.Popen(
                [spare.python, "-c", "import numba.cuda"],
                cwd=self._path,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=inherited_descriptors(),
            )
        try:
            self._importing.wait(IMPORT_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._importing.kill()
            self._importing.wait()

    def _stop_compiling(self) -> None:
        """Have nobody wait for bytecode: an import may never end, and what is compiled is kept."""
        with self._lock:
            self._is_awaited = True
            if self._importing is not None:
                self._importing.kill()
