"""The form of the fix-status document; docs/fix-status.schema.json is written from these models.

Readers of version 1 find in version 2 what they read; `fixwatch.report.status` builds it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, with_config

# Before Python 3.12 pydantic takes no other.
from typing_extensions import NotRequired, TypedDict

from fixwatch.records import fields
from fixwatch.statistics.change_points import ChangeKind
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.states import State

_CLOSED = ConfigDict(extra="forbid", use_attribute_docstrings=True)

StateName = Annotated[str, fields.one_of(*(state.value for state in State))]
VerdictName = Annotated[str, fields.one_of(*(verdict.value for verdict in Verdict))]
ChangeName = Annotated[str, fields.one_of(*(kind.value for kind in ChangeKind))]
TargetName = Annotated[str, fields.one_of("simulator", "cuda", "compiler")]


@with_config(_CLOSED)
class RevisionEntry(TypedDict):
    """A commit or a release."""

    commit: str
    name: str
    """A tag, a version or a short hash."""
    date: str


@with_config(_CLOSED)
class TransitionEntry(TypedDict):
    """A change along a history."""

    kind: ChangeName
    after: RevisionEntry
    at: RevisionEntry
    exact: bool
    """Whether there is one possible place, and no unmeasured relevant revision lies in it."""
    confidence: fields.Probability
    places: list[RevisionEntry]
    """All revisions that the change may be in."""


@with_config(_CLOSED)
class SpaceEntry(TypedDict):
    """How much of a space of schedules was run."""

    schedules: int
    """That are known; all there are, once those with one switch less were run."""
    run: int
    exhausted: bool
    switches: int
    """Forced ones of a schedule, at most."""
    threads: int
    points: int
    """Of a thread, where a switch can be forced; the longest's."""


@with_config(_CLOSED)
class MeasurementEntry(TypedDict):
    """A revision under a schedule."""

    revision: RevisionEntry
    schedule: str | None
    trials: int | None
    failures: int | None
    failures_by_mode: dict[str, int]
    refusals: NotRequired[int | None]
    """Passing trials in which upstream refused the launch, with an error that says so. In the whole
    document alone, as the next five and `text`."""
    early_return_failures: NotRequired[int | None]
    attributes: NotRequired[dict[str, int]]
    seed: NotRequired[int | None]
    packages: NotRequired[dict[str, str]]
    measured_at: NotRequired[str]
    rate_low: float | None
    rate_high: float | None
    verdict: VerdictName
    reason: str | None
    space: NotRequired[SpaceEntry | None]
    """Under ``explore`` alone, as the next two: what of its space was run."""
    first_failure_schedule: NotRequired[str | None]
    """What ``python -m mwe --replay`` takes."""
    text: NotRequired[str | None]
    """What was run and what it says, in words."""


class StateEntry(TypedDict):
    """What is stated of a history: its state, and what changed when."""

    state: StateName
    since: RevisionEntry | None
    fixed_in: RevisionEntry | None
    last_affected: RevisionEntry | None
    confidence: fields.Probability | None
    transitions: list[TransitionEntry]


@with_config(_CLOSED)
class SeriesEntry(StateEntry):
    """A workload or control along a history of an upstream."""

    upstream: str
    source: str
    target: TargetName
    machine: str
    python: str
    workload: str
    defect: str
    """That the workload is for."""
    role: str
    unmeasured: list[RevisionEntry]
    """Relevant commits without a record; in the published document only of the workloads that stand
    for their defects."""
    measurements: list[MeasurementEntry]
    left_out: int
    """How many more measurements there are; 0 but in the published document."""


@with_config(_CLOSED)
class DefectHistoryEntry(StateEntry):
    """A defect along a history, as the workload says that speaks for it."""

    source: str
    machine: str
    python: str
    workload: str
    text: str


@with_config(_CLOSED)
class DefectEntry(TypedDict):
    """What is known of a defect on an upstream."""

    upstream: str
    target: TargetName
    defect: str | None
    """Null on a device, where the simulator's defects do not exist and any failure counts."""
    state: StateName
    """Of the first history; not-run where there is none."""
    histories: list[DefectHistoryEntry]


@with_config(_CLOSED)
class AdviceEntry(TypedDict):
    """Which releases of an upstream are free of a defect."""

    upstream: str
    defect: str
    free_from: str | None
    """Every measured release from this one on is free of it; null where the newest is not."""
    not_free: list[str]
    """Releases that were observed to have it, newest first."""
    text: str
    """The same in words, and which other defects remain."""


@with_config(_CLOSED)
class FixStatus(TypedDict):
    """The fix status: what was measured of each upstream, and what that says."""

    version: Literal[2]
    generated_at: fields.IsoMoment
    last_looked_at: fields.IsoMoment | None
    """When a check last ran, whatever it found; null where that is not recorded."""
    tracker_problem: NotRequired[str | None]
    """What keeps the tracker from looking, in one line; null where nothing does."""
    upstreams: list[SeriesEntry]
    defects: list[DefectEntry]
    advice: list[AdviceEntry]
