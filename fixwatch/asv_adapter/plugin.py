"""The asv plugin: named in the configurations' `plugins`, it makes asv fit for this history.

Importing it registers the repositories and the environment; `setup` puts in the publishing and the
durable results.
"""

from __future__ import annotations

import sys
from typing import Any

from asv.plugins.virtualenv import Virtualenv

from fixwatch.asv_adapter import environments, repositories
from fixwatch.asv_adapter.publish_hook import install_publisher
from fixwatch.asv_adapter.results import install_hooks

__all__ = ["environments", "repositories", "setup"]


def setup() -> None:
    """Let `environment_type` "virtualenv" mean the one of this project; asv calls this."""
    Virtualenv.tool_name = "stock-virtualenv"
    install_hooks()
    install_publisher()
    sys.excepthook = _report_interrupt


def _report_interrupt(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    if issubclass(kind, KeyboardInterrupt):
        print("\nasv: interrupted; what was measured is kept", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
