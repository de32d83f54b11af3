"""What a check found, set beside what is recorded. Pure: no clock, no files, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Literal

# scipy.stats loads at its first use, which takes a second.
import scipy

from fixwatch.records import fields
from fixwatch.records.fields import Closed
from fixwatch.records.plans import NEWEST_KINDS
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.states import State


class CheckResult(str, Enum):
    """What a check says; what was found to have changed comes first."""

    CHANGED = "changed"
    COULD_NOT_MEASURE = "could not measure"
    UNCHANGED = "unchanged"
    NOT_RECORDED = "not recorded"  # of a defect that was never measured; the others decide


# Of the command line; see interfaces: 0 unchanged, 10 changed, 3 could not measure.
EXIT_STATUS = {
    CheckResult.UNCHANGED: 0,
    CheckResult.CHANGED: 10,
    CheckResult.COULD_NOT_MEASURE: 3,
    CheckResult.NOT_RECORDED: 3,
}
# Of a year: 52, each with the newest commit and release of two upstreams, for five defects.
CHECKS_A_YEAR = 52 * 4 * 5
# What failed too rarely goes on, and is judged again.
JUDGEMENTS_A_CHECK = 2
MAX_FALSE_ALARMS_A_YEAR = 0.01
# Of a trial, as the change points of a history have it.
ARTEFACT_RATE = 1e-4
POSITIVE_CONTROL, NEGATIVE_CONTROL = "positive control", "negative control"
# What a recorded state lets one expect of the newest revision.
_EXPECTED = {
    State.AFFECTED: Verdict.OBSERVED,
    State.FIXED: Verdict.NOT_OBSERVED,
    State.NEVER_OBSERVED: Verdict.NOT_OBSERVED,
}


@dataclass(frozen=True, kw_only=True)
class RecordedHistory(Closed):
    """What was known of a defect along an upstream's commits, or along its releases."""

    source: fields.Source
    state: str
    newest: str | None
    """Name of the newest revision that it rests on."""


@dataclass(frozen=True, kw_only=True)
class Recorded(Closed):
    """What was known of a defect on an upstream before the check."""

    upstream: str
    defect: str
    state: str
    since: str | None
    """Name of the revision since which it is so; null where there is none."""
    newest: str | None
    """Name of the newest revision that it rests on."""
    positive_control: str | None = None
    """A release that is recorded as affected, of either upstream; null where there is none."""
    negative_control: str | None = None
    """A release that is recorded as not affected."""
    histories: tuple[RecordedHistory, ...] = ()
    """By source, the worst first: a fix is in a commit before it is in a release."""


@dataclass(frozen=True, kw_only=True)
class Checked(Closed):
    """A revision that was measured in the check, judged for one defect."""

    upstream: fields.Upstream
    defect: fields.Name
    kind: fields.CheckedKind
    name: fields.Name
    commit: fields.Hash
    date: fields.Moment
    verdict: Verdict
    """Over the defect's workloads: one that shows it decides, silence only if all are silent."""
    n_failures: fields.Count
    """Failures under the schedules that decide, over these workloads; explore has no such count."""
    n_trials: fields.Count
    explored: fields.Text = ""
    """What explore showed, in a few words; empty where it was not run."""
    n_failed_explorations: fields.Count = 0
    """Workloads in which explore found a schedule that fails."""
    reason: fields.Text | None = None
    """Why there is no verdict, where there is none."""


@dataclass(frozen=True, kw_only=True)
class UpstreamComparison(Closed):
    """What the check says of one defect on one upstream."""

    upstream: str
    defect: str
    outcome: CheckResult
    old: str
    new: str
    detail: str
    recorded_up_to: str | None = None
    """Of a change: name of the newest revision on record before it."""


@dataclass(frozen=True, kw_only=True)
class Comparison(Closed):
    """What the check says as a whole, with everything that it rests on.

    The names of the fields are those of the check's JSON.
    """

    version: Literal[2] = 2
    outcome: CheckResult
    findings: tuple[UpstreamComparison, ...]
    recorded: tuple[Recorded, ...]
    checked: tuple[Checked, ...]


def compare(recorded: Sequence[Recorded], checked: Sequence[Checked]) -> Comparison:
    """Compare what was measured with what is recorded, defect by defect.

    A control that misbehaves makes all that was measured of its defect worth nothing, whatever the
    newest revisions did.
    """
    findings = tuple(_compare_one(row, checked) for row in recorded)
    outcomes = [found.outcome for found in findings] or [CheckResult.COULD_NOT_MEASURE]
    return Comparison(
        outcome=min(outcomes, key=list(CheckResult).index),
        findings=findings,
        recorded=tuple(recorded),
        checked=tuple(checked),
    )


def find_broken_control(recorded: Recorded, checked: Sequence[Checked]) -> str | None:
    """Say which control of a defect misbehaved or is missing, None if all did as they must.

    A defect of which no affected release is recorded, or no other, has only the controls that are
    part of every run. Failures of the negative one that are too few for a change break nothing;
    beside them no count is an alarm.
    """
    for kind, name, expected in (
        (POSITIVE_CONTROL, recorded.positive_control, Verdict.OBSERVED),
        (NEGATIVE_CONTROL, recorded.negative_control, Verdict.NOT_OBSERVED),
    ):
        controls = _find_controls(recorded, checked, kind)
        if not controls and name is not None:
            return f"no {kind} was measured"
        for control in controls:
            is_clean = kind == NEGATIVE_CONTROL and is_stray(control)
            if control.verdict is not expected and not is_clean:
                why = f": {control.reason}" if control.reason else ""
                name = f"{control.upstream} {control.name}"
                return f"the {kind} {name} is {control.verdict.value}{why}"
    return None


def _find_controls(recorded: Recorded, checked: Sequence[Checked], kind: str) -> list[Checked]:
    return [one for one in checked if (one.kind, one.defect) == (kind, recorded.defect)]


def _compare_one(recorded: Recorded, checked: Sequence[Checked]) -> UpstreamComparison:
    newest = [
        revision
        for revision in checked
        if (revision.upstream, revision.defect) == (recorded.upstream, recorded.defect)
        and revision.kind in NEWEST_KINDS
    ]
    compared = partial(
        UpstreamComparison,
        upstream=recorded.upstream,
        defect=recorded.defect,
        old=recorded.state,
    )
    unknown = partial(compared, outcome=CheckResult.COULD_NOT_MEASURE, new="not known")
    before = {revision: _find_history(recorded, revision.kind) for revision in newest}
    expected = {revision: _EXPECTED.get(State(was.state)) for revision, was in before.items()}
    broken = find_broken_control(recorded, checked)
    if (
        State(recorded.state) is State.NOT_RUN
        and recorded.positive_control is None
        and recorded.negative_control is None
    ):
        detail = "no revision is recorded in which it is known"
        return compared(outcome=CheckResult.NOT_RECORDED, new="not known", detail=detail)
    if broken is not None or (newest and not any(expected.values())):
        return unknown(detail=broken or "nothing sure is recorded")
    missing = _name_missing_controls(recorded)
    decided = [revision for revision in newest if revision.verdict.is_decided]
    stray = [
        revision
        for revision in decided
        if expected[revision] is Verdict.NOT_OBSERVED and is_stray(revision)
    ]
    differing = [
        revision
        for revision in decided
        if revision not in stray and expected[revision] not in (None, revision.verdict)
    ]
    if differing:
        # What is affected again is said before what is fixed.
        first = next((one for one in differing if one.verdict is Verdict.OBSERVED), differing[0])
        was = before[first]
        if first.verdict is Verdict.OBSERVED and not first.n_failed_explorations:
            # A schedule that fails can be replayed; counts may be the harness's, as a control's.
            failing = [
                one
                for one in _find_controls(recorded, checked, NEGATIVE_CONTROL)
                if one.verdict is Verdict.OBSERVED
            ]
            if failing:
                counts = _list_counts([*differing, *failing])
                return unknown(detail=f"{counts}: the harness may fail by itself")
        return compared(
            outcome=CheckResult.CHANGED,
            old=was.state,
            new="affected" if first.verdict is Verdict.OBSERVED else "fixed",
            detail=f"{_list_counts(differing)}; recorded up to {was.newest}{missing}",
            recorded_up_to=was.newest,
        )
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
    artefact = "; too few failures for a change, which an artefact may be" if stray else ""
    detail = f"{_list_counts(decided)}{artefact}{missing}"
    return compared(outcome=CheckResult.UNCHANGED, new=recorded.state, detail=detail)


def _find_history(recorded: Recorded, kind: str) -> RecordedHistory:
    """Return what a newest revision is compared with: its own history, if that says anything.

    A fix that is in no release yet is no news of the releases each week, nor a new defect.
    """
    source = "commits" if kind == NEWEST_KINDS[0] else "releases"
    own = [
        history
        for history in recorded.histories
        if history.source == source and State(history.state) in _EXPECTED
    ]
    whole = RecordedHistory(source=source, state=recorded.state, newest=recorded.newest)
    return own[0] if own else whole


def is_stray(revision: Checked) -> bool:
    """Whether a revision that shows a defect fails as rarely as an artefact of the harness may.

    A failing schedule of an exploration can be replayed and is none.
    """
    if revision.verdict is not Verdict.OBSERVED or revision.n_failed_explorations:
        return False
    return revision.n_failures < find_needed_failures(revision.n_trials)


def find_needed_failures(n_trials: int) -> int:
    """Return how many failures in so many trials are no artefact's.

    So many or more come from artefacts, one in `1 / ARTEFACT_RATE` trials, in one of a year's
    checks with a chance of at most `MAX_FALSE_ALARMS_A_YEAR`.
    """
    limit = MAX_FALSE_ALARMS_A_YEAR / (CHECKS_A_YEAR * JUDGEMENTS_A_CHECK)
    return int(scipy.stats.binom.isf(limit, n_trials, ARTEFACT_RATE)) + 1


def _name_missing_controls(recorded: Recorded) -> str:
    missing = []
    if recorded.positive_control is None:
        missing.append("; no affected release is recorded, its planted twin stands for one")
    if recorded.negative_control is None:
        missing.append("; no clean release is recorded, its negative controls stand for one")
    return "".join(missing)


def _list_counts(revisions: Sequence[Checked]) -> str:
    return ", ".join(_describe_counts(revision) for revision in revisions)


def _describe_counts(revision: Checked) -> str:
    counts = f"{revision.n_failures} of {revision.n_trials} trials failed"
    parts = [
        counts if revision.n_trials else "",
        f"explored: {revision.explored}" if revision.explored else "",
    ]
    found = "; ".join(filter(None, parts)) or revision.verdict.value
    return f"{revision.kind} {revision.name}: {found}"
