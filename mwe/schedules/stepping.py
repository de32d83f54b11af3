"""The way of listening to the threads of a trial that this Python has."""

from __future__ import annotations

import sys
from collections.abc import Collection
from contextlib import AbstractContextManager

from mwe.schedules.events import Granularity, Watch


def open_watch(
    granularity: Granularity, *, user_files: Collection[str], outside_user_code: bool
) -> AbstractContextManager[Watch]:
    """Return the way of listening for this Python: `sys.monitoring` from 3.12 on, else tracing.

    Functions in `user_files` are the user's; `outside_user_code` asks for steps in others too.
    """
    if sys.version_info >= (3, 12):
        from mwe.schedules.monitoring import MonitoringWatch

        return MonitoringWatch(granularity, frozenset(user_files), outside_user_code)
    from mwe.schedules.tracing import TracingWatch

    return TracingWatch(granularity, frozenset(user_files), outside_user_code)
