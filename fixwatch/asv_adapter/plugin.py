"""The asv plugin: named in the configurations' `plugins`, it makes asv fit for this history.

Importing it registers the repositories and the environment; `setup` puts in the publishing and the
durable results.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from asv.benchmarks import Benchmarks
from asv.plugins.virtualenv import Virtualenv

from fixwatch.asv_adapter import environments, repositories
from fixwatch.asv_adapter.environments import AsOfVirtualenv
from fixwatch.asv_adapter.publish_hook import install_publisher
from fixwatch.asv_adapter.results import install_hooks

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
    commits: Sequence[str],
    **options: Any,
) -> Any:
    """Discover the benchmarks as asv does; it says here what it is about to go through."""
    AsOfVirtualenv.queue = list(commits)
    return _asv_discover(cls, conf, repo, environments, commits, **options)


def _report_interrupt(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("\nasv: interrupted; what was measured is kept", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
