"""When the upstreams were last looked at, whatever was found."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from fixwatch.layout import CHECK_DIR


def find_last_look(check_dir: Path = CHECK_DIR) -> datetime | None:
    """Return when a check last wrote what it found, in UTC; None where none did on this machine."""
    try:
        written_s = (check_dir / "check.json").stat().st_mtime
    except FileNotFoundError:
        return None
    return datetime.fromtimestamp(written_s, timezone.utc)
