"""What a check found, set beside what is recorded. Pure: no clock, no files, no network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from typing import Any

from fixwatch.statistics.states import State
from fixwatch.verdicts.judgements import Verdict

FORMAT_VERSION = 1


class Outcome(str, Enum):
    """What a check says."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    COULD_NOT_MEASURE = "could not measure"


# Of the command line; see interfaces: 0 unchanged, 10 changed, 3 could not measure.
EXIT_STATUS = {Outcome.UNCHANGED: 0, Outcome.CHANGED: 10, Outcome.COULD_NOT_MEASURE: 3}
NEWEST_KINDS = ("newest commit", "newest release")
# What a recorded state lets one expect of the newest revision.
_EXPECTED = {
    State.AFFECTED: Verdict.OBSERVED,
    State.FIXED: Verdict.NOT_OBSERVED,
    State.NEVER_OBSERVED: Verdict.NOT_OBSERVED,
}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The status of an upstream before the check.

    Attributes
    ----------
    state
        As `fixwatch.statistics.states.State` writes it.
    since
        Name of the revision since which it is so, None where there is none.
    newest
        Name of the newest revision that it rests on.
    """

    upstream: str
    state: str
    since: str | None
    newest: str | None


@dataclass(frozen=True, kw_only=True)
class Checked:
    """A revision that was measured in the check.

    Attributes
    ----------
    kind
        ``newest commit``, ``newest release``, ``positive control`` or ``negative control``.
    verdict
        Over all workloads: one that shows the race decides, silence only if all are silent.
    n_failures, n_trials
        Under the schedules that decide, over all workloads.
    reason
        Where there is no verdict: why.
    """

    upstream: str
    kind: str
    name: str
    commit: str
    date: str
    verdict: str
    n_failures: int
    n_trials: int
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What the check says of one upstream."""

    upstream: str
    outcome: Outcome
    old: str
    new: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What the check says as a whole, with everything that it rests on."""

    outcome: Outcome
    findings: tuple[Finding, ...]
    recorded: tuple[Recorded, ...]
    checked: tuple[Checked, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the comparison as the check writes it."""
        return {"version": FORMAT_VERSION, **asdict(self)}


def compare(recorded: Sequence[Recorded], checked: Sequence[Checked]) -> Comparison:
    """Compare what was measured with what is recorded.

    A control that misbehaves makes all of it worth nothing: then the check could not measure,
    whatever the newest revisions did.
    """
    broken = find_broken_control(checked)
    findings = tuple(
        _compare_one(each, [item for item in checked if item.upstream == each.upstream], broken)
        for each in recorded
    )
    outcomes = {finding.outcome for finding in findings}
    if broken is not None or not findings:
        outcome = Outcome.COULD_NOT_MEASURE
    else:
        outcome = next(
            each
            for each in (Outcome.CHANGED, Outcome.COULD_NOT_MEASURE, Outcome.UNCHANGED)
            if each in outcomes
        )
    return Comparison(
        outcome=outcome, findings=findings, recorded=tuple(recorded), checked=tuple(checked)
    )


def find_broken_control(checked: Sequence[Checked]) -> str | None:
    """Say which control misbehaved or is missing, None if both did as they must."""
    for kind, expected in (
        ("positive control", Verdict.OBSERVED),
        ("negative control", Verdict.NOT_OBSERVED),
    ):
        controls = [each for each in checked if each.kind == kind]
        if not controls:
            return f"no {kind} was measured"
        for each in controls:
            if each.verdict != expected.value:
                why = f": {each.reason}" if each.reason else ""
                return f"the {kind} {each.upstream} {each.name} is {each.verdict}{why}"
    return None


def _compare_one(recorded: Recorded, checked: Sequence[Checked], broken: str | None) -> Finding:
    newest = [each for each in checked if each.kind in NEWEST_KINDS]

    def finding(outcome: Outcome, new: str, detail: str) -> Finding:
        return Finding(
            upstream=recorded.upstream,
            outcome=outcome,
            old=recorded.state,
            new=new,
            detail=detail,
        )

    if broken is not None:
        return finding(Outcome.COULD_NOT_MEASURE, "not known", broken)
    expected = _EXPECTED.get(State(recorded.state))
    if expected is None:
        return finding(Outcome.COULD_NOT_MEASURE, "not known", "nothing sure is recorded")
    decided = [
        each
        for each in newest
        if each.verdict in (Verdict.OBSERVED.value, Verdict.NOT_OBSERVED.value)
    ]
    differing = [each for each in decided if each.verdict != expected.value]
    if differing:
        named = ", ".join(f"{each.kind} {each.name}: {_counts(each)}" for each in differing)
        new = "fixed" if expected is Verdict.OBSERVED else "affected"
        return finding(Outcome.CHANGED, new, f"{named}; recorded up to {recorded.newest}")
    undecided = [
        f"{each.kind} {each.name} is {each.verdict}: {each.reason or 'no reason is known'}"
        for each in newest
        if each not in decided
    ]
    kinds = {each.kind for each in newest}
    undecided += [f"no {kind} was measured" for kind in NEWEST_KINDS if kind not in kinds]
    if undecided:
        return finding(Outcome.COULD_NOT_MEASURE, "not known", "; ".join(undecided))
    named = ", ".join(f"{each.kind} {each.name}: {_counts(each)}" for each in decided)
    return finding(Outcome.UNCHANGED, recorded.state, named)


def _counts(each: Checked) -> str:
    return f"{each.n_failures} of {each.n_trials} trials failed"
