"""When the upstreams were last looked at, what had changed since, and what broke on the way.

Two files beside the results say so, apart from what was measured: a look that finds nothing new
leaves its moment, and a tracker that broke leaves what it could not do.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from fixwatch.durable_files import write_json_atomically
from fixwatch.layout import RESULTS_DIR
from fixwatch.records import fields
from fixwatch.records.fields import Closed, describe_violation
from fixwatch.upstream_texts import make_printable, parse_moment

LOOK_NAME = "last-look.json"
PROBLEM_NAME = "tracker-problem.json"
# A change is told in the tracking issue within weeks; the newest ones are kept for that.
MAX_CHANGES = 50
# Clocks of machines differ; what lies further ahead is no moment at which anybody looked.
MAX_AHEAD = timedelta(hours=1)

_Model = TypeVar("_Model")


@dataclass(frozen=True, kw_only=True)
class FoundChange(Closed):
    """A change of a defect's state that a look found: it is told once, in the tracking issue."""

    found_at: fields.Moment
    upstream: fields.Upstream
    defect: fields.Name
    old: fields.Name
    new: fields.Name
    detail: fields.Text
    recorded_up_to: fields.Text
    """Name of the newest revision that was recorded before."""
    newest: fields.Text
    """The newest commit then, or ``main``."""

    @property
    def identity(self) -> str:
        """What names the change, the same for every look that finds it."""
        words = (self.upstream, self.defect, self.old, self.new, self.recorded_up_to)
        return re.sub(r"[^A-Za-z0-9.-]", "", "-".join(words))


@dataclass(frozen=True, kw_only=True)
class LastLook(Closed):
    """The last look that came to its end, and the changes found so far, newest last."""

    version: Literal[1] = 1
    looked_at: fields.Moment
    changes: Annotated[tuple[FoundChange, ...], Field(max_length=MAX_CHANGES)] = ()


@dataclass(frozen=True, kw_only=True)
class TrackerProblem(Closed):
    """What keeps the tracker from looking; the next look that comes to its end removes it."""

    version: Literal[1] = 1
    since: fields.Moment
    text: fields.Line


_LOOK = TypeAdapter(LastLook)
_PROBLEM = TypeAdapter(TrackerProblem)


def load_last_look(results_dir: Path = RESULTS_DIR) -> LastLook | None:
    """Return the last look; None where there was none, or its file is not what one writes."""
    return _load(results_dir / LOOK_NAME, _LOOK)[0]


def find_last_look(results_dir: Path = RESULTS_DIR) -> datetime | None:
    """Return when somebody last looked, whatever was found, in UTC; None where nobody knows."""
    look = load_last_look(results_dir)
    if look is None:
        return None
    try:
        moment = parse_moment(look.looked_at).astimezone(timezone.utc)
    except ValueError:
        return None
    return moment if moment <= datetime.now(timezone.utc) + MAX_AHEAD else None


def find_tracker_problem(results_dir: Path = RESULTS_DIR) -> str | None:
    """Return in one line what is wrong with the tracker; None where nothing is."""
    found = _load(results_dir / PROBLEM_NAME, _PROBLEM)
    problem, damage = found
    if problem is not None:
        return make_printable(f"{problem.text} (since {problem.since[:10]})")
    return damage or _load(results_dir / LOOK_NAME, _LOOK)[1]


def save_look(changes: tuple[FoundChange, ...], results_dir: Path = RESULTS_DIR) -> LastLook:
    """Record that a look came to its end now, and what it found to have changed.

    A change that was found before, and is not on the record yet, is kept as it was then.
    """
    known = load_last_look(results_dir)
    kept = {change.identity: change for change in (known.changes if known else ())}
    for change in changes:
        kept.setdefault(change.identity, change)
    looked_at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    look = LastLook(looked_at=looked_at, changes=tuple(kept.values())[-MAX_CHANGES:])
    write_json_atomically(results_dir / LOOK_NAME, asdict(look), indent=1)
    (results_dir / PROBLEM_NAME).unlink(missing_ok=True)
    return look


def _load(path: Path, model: TypeAdapter[_Model]) -> tuple[_Model | None, str | None]:
    """Return what a file holds, or what is wrong with it; neither where there is no file."""
    try:
        return model.validate_json(path.read_bytes()), None
    except FileNotFoundError:
        return None, None
    except OSError as error:
        return None, f"{path}: cannot be read ({error.strerror})"
    except ValidationError as error:
        return None, f"{path}: not what a look writes: {describe_violation(error)}"
