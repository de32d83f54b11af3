"""The asv plugin: named in the configurations' `plugins`, it makes asv fit for this history.

Importing it registers the repositories and the environment; `setup` puts in the publishing and the
durable results.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from typing import Any

from asv.benchmarks import Benchmarks
from asv.console import log
from asv.plugins.virtualenv import Virtualenv

from fixwatch.asv_adapter import environments, repositories
from fixwatch.asv_adapter.environments import AsOfVirtualenv
from fixwatch.asv_adapter.publish_hook import install_publisher
from fixwatch.asv_adapter.results import install_hooks
from fixwatch.durable_files import make_own_folder
from fixwatch.layout import STATE_DIR

__all__ = ["environments", "repositories", "setup"]


def setup() -> None:
    """Let `environment_type` "virtualenv" mean the one of this project; asv calls this."""
    Virtualenv.tool_name = "stock-virtualenv"
    install_hooks()
    install_publisher()
    Benchmarks.discover = classmethod(_discover)
    sys.excepthook = _report_interrupt


_asv_discover = Benchmarks.discover.__func__


def _discover(
    cls: type[Any],
    /,
    conf: Any,
    repo: Any,
    environments: Any,
    commits: list[str],
    **options: Any,
) -> Any:
    """Discover the benchmarks as asv does; it says here what it is about to go through.

    The list is asv's own: what another run has measured while this one waited is taken out.
    """
    measured = [
        commit
        for commit in commits
        if all(environment.was_measured_meanwhile(commit) for environment in environments)
    ]
    if measured:
        log.warning(f"{len(measured)} of {len(commits)} revisions were measured meanwhile")
        for commit in measured:
            commits.remove(commit)
        if not commits:
            sys.exit(0)
    AsOfVirtualenv.queue = list(commits)
    _keep_temporary_files_here()
    return _asv_discover(cls, conf, repo, environments, commits, **options)


def _keep_temporary_files_here() -> None:
    """Have asv, and what it starts, leave temporary files where the next run removes them.

    It removes its own when it ends, but not when it is killed.
    """
    folder = str(make_own_folder(STATE_DIR, "temporary-").absolute())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tempfile.tempdir = os.environ["TMPDIR"] = folder


def _report_interrupt(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("\nasv: interrupted; what was measured is kept", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
