"""What was on record when a look began, kept until it comes to its end.

A look that is killed has measured already what it was to compare: the next one would find it on
record, and nothing changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from fixwatch.commands.check.comparison import Recorded
from fixwatch.durable_files import write_json_atomically
from fixwatch.history.last_look import load_last_look
from fixwatch.layout import CHECK_DIR
from fixwatch.records import fields
from fixwatch.records.fields import Closed

UNFINISHED_PATH = CHECK_DIR / "recorded.json"


@dataclass(frozen=True, kw_only=True)
class _Unfinished(Closed):
    """What a look that has begun is to be compared with."""

    version: Literal[1] = 1
    after: fields.Moment | None
    """When the look before it came to its end; null where there was none."""
    recorded: tuple[Recorded, ...]


_UNFINISHED = TypeAdapter(_Unfinished)


def begin_look(recorded: Sequence[Recorded], path: Path = UNFINISHED_PATH) -> Sequence[Recorded]:
    """Keep what is on record, and return it, or what was when an unfinished look began.

    That is told by the last look that came to its end: it is the same since.
    """
    look = load_last_look()
    after = look.looked_at if look else None
    try:
        kept = _UNFINISHED.validate_json(path.read_bytes())
        if kept.after == after:
            return kept.recorded
    except (OSError, ValidationError):
        # There is none, or none that is whole.
        pass
    write_json_atomically(path, asdict(_Unfinished(after=after, recorded=tuple(recorded))))
    return recorded


def end_look(path: Path = UNFINISHED_PATH) -> None:
    """Forget what was kept for a look."""
    path.unlink(missing_ok=True)
