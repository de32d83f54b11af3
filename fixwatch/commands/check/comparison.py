"""What a check found, set beside what is recorded. Pure: no clock, no files, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Literal

from fixwatch.records import fields
from fixwatch.records.fields import Closed
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.states import State


class CheckResult(str, Enum):
    """What a check says; what was found to have changed comes first."""

    CHANGED = "changed"
    COULD_NOT_MEASURE = "could not measure"
    UNCHANGED = "unchanged"


# Of the command line; see interfaces: 0 unchanged, 10 changed, 3 could not measure.
EXIT_STATUS = {CheckResult.UNCHANGED: 0, CheckResult.CHANGED: 10, CheckResult.COULD_NOT_MEASURE: 3}
NEWEST_KINDS = ("newest commit", "newest release")
# What a recorded state lets one expect of the newest revision.
_EXPECTED = {
    State.AFFECTED: Verdict.OBSERVED,
    State.FIXED: Verdict.NOT_OBSERVED,
    State.NEVER_OBSERVED: Verdict.NOT_OBSERVED,
}


@dataclass(frozen=True, kw_only=True)
class Recorded(Closed):
    """The status of an upstream before the check."""

    upstream: str
    state: str
    since: str | None
    """Name of the revision since which it is so; null where there is none."""
    newest: str | None
    """Name of the newest revision that it rests on."""


@dataclass(frozen=True, kw_only=True)
class Checked(Closed):
    """A revision that was measured in the check."""

    upstream: fields.Upstream
    kind: fields.CheckedKind
    name: fields.Name
    commit: fields.Hash
    date: fields.Moment
    verdict: Verdict
    """Over all workloads: one that shows the race decides, silence only if all are silent."""
    n_failures: fields.Count
    """Failures under the schedules that decide, over all workloads; explore has no such count."""
    n_trials: fields.Count
    explored: fields.Text = ""
    """What explore showed, in a few words; empty where it was not run."""
    reason: fields.Text | None = None
    """Why there is no verdict, where there is none."""


@dataclass(frozen=True, kw_only=True)
class UpstreamComparison(Closed):
    """What the check says of one upstream."""

    upstream: str
    outcome: CheckResult
    old: str
    new: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Comparison(Closed):
    """What the check says as a whole, with everything that it rests on.

    The names of the fields are those of the check's JSON.
    """

    version: Literal[1] = 1
    outcome: CheckResult
    findings: tuple[UpstreamComparison, ...]
    recorded: tuple[Recorded, ...]
    checked: tuple[Checked, ...]


def compare(recorded: Sequence[Recorded], checked: Sequence[Checked]) -> Comparison:
    """Compare what was measured with what is recorded.

    A control that misbehaves makes all of it worth nothing: then the check could not measure,
    whatever the newest revisions did.
    """
    broken = find_broken_control(checked)
    findings = tuple(_compare_one(upstream, checked, broken) for upstream in recorded)
    outcome = CheckResult.COULD_NOT_MEASURE
    if broken is None and findings:
        outcome = min((found.outcome for found in findings), key=list(CheckResult).index)
    return Comparison(
        outcome=outcome, findings=findings, recorded=tuple(recorded), checked=tuple(checked)
    )


def find_broken_control(checked: Sequence[Checked]) -> str | None:
    """Say which control misbehaved or is missing, None if both did as they must."""
    for kind, expected in (
        ("positive control", Verdict.OBSERVED),
        ("negative control", Verdict.NOT_OBSERVED),
    ):
        controls = [revision for revision in checked if revision.kind == kind]
        if not controls:
            return f"no {kind} was measured"
        for control in controls:
            if control.verdict is not expected:
                why = f": {control.reason}" if control.reason else ""
                name = f"{control.upstream} {control.name}"
                return f"the {kind} {name} is {control.verdict.value}{why}"
    return None


def _compare_one(
    recorded: Recorded, checked: Sequence[Checked], broken: str | None
) -> UpstreamComparison:
    newest = [
        revision
        for revision in checked
        if revision.upstream == recorded.upstream and revision.kind in NEWEST_KINDS
    ]

    compared = partial(UpstreamComparison, upstream=recorded.upstream, old=recorded.state)
    unknown = partial(compared, outcome=CheckResult.COULD_NOT_MEASURE, new="not known")
    expected = _EXPECTED.get(State(recorded.state))
    if broken is not None or expected is None:
        return unknown(detail=broken or "nothing sure is recorded")
    decided = [revision for revision in newest if revision.verdict.is_decided]
    differing = [revision for revision in decided if revision.verdict is not expected]
    if differing:
        new = "fixed" if expected is Verdict.OBSERVED else "affected"
        detail = f"{_list_counts(differing)}; recorded up to {recorded.newest}"
        return compared(outcome=CheckResult.CHANGED, new=new, detail=detail)
    undecided = [
        f"{revision.kind} {revision.name} is {revision.verdict.value}: "
        f"{revision.reason or 'no reason is known'}"
        for revision in newest
        if revision not in decided
    ]
    kinds = {revision.kind for revision in newest}
    undecided += [f"no {kind} was measured" for kind in NEWEST_KINDS if kind not in kinds]
    if undecided:
        return unknown(detail="; ".join(undecided))
    return compared(outcome=CheckResult.UNCHANGED, new=recorded.state, detail=_list_counts(decided))


def _list_counts(revisions: Sequence[Checked]) -> str:
    return ", ".join(
        f"{revision.kind} {revision.name}: {revision.n_failures} of {revision.n_trials} trials "
        f"failed{f'; explored: {revision.explored}' if revision.explored else ''}"
        for revision in revisions
    )
