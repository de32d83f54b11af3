"""What jobs were asked to measure: a plan, written by the job that plans and handed to the merge.

A job that runs upstream's code may hand over anything. What a merge takes from it is what the plan
asked it for: these revisions, on this machine and Python, with workloads that there are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from fixwatch.errors import FixwatchError
from fixwatch.records import fields
from fixwatch.records.evidence import FOLDERS, Evidence
from fixwatch.records.fields import Closed, describe_violation

# In a shard's folder: which plan it answers.
NONCE_NAME = "nonce"
MAX_REVISIONS = 5000
# Of a batch of a newest revision that failed too rarely for a look to speak of a change.
STRAY_TRIALS = 500
NEWEST_KINDS = ("newest commit", "newest release")
_SHARD = re.compile(r"(?:.*\D)?(\d{1,4})")

Folder = Annotated[str, fields.one_of(*FOLDERS)]


@dataclass(frozen=True, kw_only=True)
class AskedRevision(Closed):
    """A revision that is to be measured."""

    folder: Folder
    """Of the results that it belongs to."""
    upstream: fields.Upstream
    commit: fields.Hash
    name: fields.Text
    """As the planning job knows it; a tag would say in whose place a record stands."""
    date: fields.Moment
    shard: fields.Count | None = None
    """The number of the only shard that is asked for it; null where each is."""


@dataclass(frozen=True, kw_only=True)
class LookedAtRevision(Closed):
    """A revision that a look judges, whether it is measured now or was before."""

    folder: Folder
    upstream: fields.Upstream
    kind: fields.CheckedKind
    commit: fields.Hash
    defects: tuple[fields.Name, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedRelease(Closed):
    """A row of the table of releases that is new, or has changed."""

    upstream: fields.Upstream
    version: fields.ReleaseVersion
    uploaded_at: fields.Moment
    wheel_tags: tuple[fields.WheelTag, ...]
    is_yanked: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan(Closed):
    """What is to be measured, and what the answer is for."""

    version: Literal[1] = 1
    nonce: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    """Drawn for this plan alone."""
    machine: fields.Name
    environment: fields.Name
    python: fields.PythonVersion
    measurement_version: fields.MeasurementVersion
    asked: Annotated[tuple[AskedRevision, ...], Field(max_length=MAX_REVISIONS)]
    looked_at: Annotated[tuple[LookedAtRevision, ...], Field(max_length=100)] = ()
    releases: Annotated[tuple[PlannedRelease, ...], Field(max_length=500)] = ()

    def find_excess(self, record: Evidence, folder: str, shard: int | None) -> str | None:
        """Say why a shard's record is not what it was asked for; None if it is."""
        stated = {
            "machine": self.machine,
            "environment": self.environment,
            "python": self.python,
            "measurement_version": self.measurement_version if record.batches else None,
        }
        for name, value in stated.items():
            if getattr(record, name) != value:
                return f"{name} is {getattr(record, name)!r}, the plan says {value!r}"
        for asked in self.asked:
            if (asked.folder, asked.commit) == (folder, record.commit):
                for name in ("upstream", "name", "date"):
                    if getattr(asked, name) != getattr(record, name):
                        return f"{name} is {getattr(record, name)!r}, the plan says otherwise"
                if asked.shard in (None, shard):
                    return None
        return "the plan does not ask this shard for it"

    def limit_trials(self, record: Evidence, n_planned: int) -> int:
        """Return how many trials a batch of a record may have that is planned with so many."""
        may_go_on = any(
            one.kind in NEWEST_KINDS and one.commit == record.commit for one in self.looked_at
        )
        return max(n_planned, STRAY_TRIALS) if may_go_on else n_planned


_PLAN = TypeAdapter(Plan)


def dump_plan(plan: Plan) -> str:
    """Return a plan as one line of JSON, which a job hands over as a text."""
    return _PLAN.dump_json(plan).decode()


def load_plan(path: Path) -> Plan:
    """Read a plan; a file that is none is a `FixwatchError`."""
    try:
        return _PLAN.validate_json(path.read_bytes())
    except OSError as error:
        raise FixwatchError(f"{path}: cannot be read ({error.strerror}); plan again") from error
    except ValidationError as error:
        raise FixwatchError(f"{path}: not a plan: {describe_violation(error)}") from error


def find_shard_number(root: Path) -> int | None:
    """Return the number that a shard's folder ends with; None if it has none."""
    match = _SHARD.fullmatch(root.resolve().name)
    return int(match[1]) if match else None


def answers(plan: Plan, root: Path) -> bool:
    """Whether a shard's folder says that it answers this plan."""
    try:
        with (root / NONCE_NAME).open(encoding="utf-8", errors="replace") as file:
            return file.read(100).strip() == plan.nonce
    except OSError:
        return False
