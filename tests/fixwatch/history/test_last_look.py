"""When the upstreams were last looked at."""

from __future__ import annotations

import os
from datetime import datetime, timezone

from fixwatch.history.last_look import find_last_look


def test_the_last_look_is_when_a_check_wrote_what_it_found(tmp_path):
    """Whatever that was."""
    moment = datetime(2026, 11, 16, 4, 30, tzinfo=timezone.utc)
    (tmp_path / "check.json").write_text("{}")
    os.utime(tmp_path / "check.json", (moment.timestamp(), moment.timestamp()))
    assert find_last_look(tmp_path) == moment


def test_without_a_check_nobody_knows_when_somebody_looked(tmp_path):
    """A missing moment is none."""
    assert find_last_look(tmp_path / "check") is None
