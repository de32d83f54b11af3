"""The answer in words: one line for a defect or a series, for the terminal and the page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from fixwatch.verdicts.assessment import JudgedRevision
from fixwatch.verdicts.defects import DefectHistory, DefectVerdict
from fixwatch.verdicts.explorations import summarise_explorations
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.pin_advice import RELEASES
from fixwatch.verdicts.series import Series
from fixwatch.verdicts.states import WORST_FIRST, State
from fixwatch.verdicts.targets import name_place
from mwe.defects import DEFECTS


def describe_upstreams(verdicts: Sequence[DefectVerdict]) -> list[str]:
    """Return one line for each upstream, with its defects by their states, the worst first."""
    return [f"{place}: {says}" for place, says in describe_places(verdicts).items()]


def describe_places(verdicts: Sequence[DefectVerdict]) -> dict[str, str]:
    """Return what is known of each upstream, in the simulator and on a device, by its name."""
    places: dict[str, list[DefectVerdict]] = defaultdict(list)
    for verdict in verdicts:
        places[name_place(verdict.upstream, verdict.target)].append(verdict)
    described = {}
    for place, own in places.items():
        states: dict[str, list[str]] = defaultdict(list)
        for verdict in sorted(own, key=lambda verdict: WORST_FIRST.index(verdict.state)):
            others = ["any other failure"] if len(own) > 1 else []
            states[_name_state(verdict)] += [verdict.defect] if verdict.defect else others
        parts = [_describe_group(state, defects) for state, defects in states.items()]
        described[place] = "; ".join(parts)
    return described


def _name_state(verdict: DefectVerdict) -> str:
    speaker = verdict.speaker
    if speaker is None:
        return "not measured"
    if speaker.state.fixed_in is not None:
        others = [history.speaker for history in verdict.histories]
        releases = [
            name
            for series in others
            if series.key.source == RELEASES != speaker.key.source and (name := _name_fix(series))
        ]
        return f"{name_state(speaker)} (release {releases[0]})" if releases else name_state(speaker)
    return verdict.state.value.replace("-", " ")


def _describe_group(state: str, defects: Sequence[str]) -> str:
    if state == State.AFFECTED.value:
        return f"{state} by {join_names(defects)}" if defects else state
    return f"{join_names(defects)} {state}".strip()


def join_names(names: Sequence[str]) -> str:
    """Return names as a sentence has them."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


def describe_refusal(defect: str) -> str:
    """Return in words what upstream refuses where it refuses the launches of a defect."""
    refused = DEFECTS[defect].refused if defect in DEFECTS else "the launch"
    return f"{refused}, with an error that says so"


def describe_history(history: DefectHistory) -> str:
    """Return what a history says of a defect, and which of its workloads say something else."""
    others = ", ".join(
        f"{series.key.workload} {name_state(series)}" for series in history.differing
    )
    said = describe_state(history.speaker)
    return f"{said}; other workloads differ: {others}" if others else said


def _name_fix(series: Series) -> str | None:
    fixed_in = series.state.fixed_in
    return None if fixed_in is None else series.revisions[fixed_in].record.name


def name_state(series: Series) -> str:
    """Return a series' state, with the revision that it began with where a change is known."""
    state = series.state
    if name := _name_fix(series):
        return f"fixed in {name}"
    if state.since is None:
        return state.state.value.replace("-", " ")
    if not series.history.changes:
        return "affected in all that is measured"
    return f"affected since {series.revisions[state.since].record.name}"


def describe_state(series: Series) -> str:
    """Return what a series says, with the counts that it rests on, and how much is missing."""
    missing = len(series.unmeasured)
    if not missing:
        return _describe_measured(series)
    commits = "commit is" if missing == 1 else "commits are"
    return f"{_describe_measured(series)}; {missing} relevant {commits} not measured"


def _describe_measured(series: Series) -> str:
    state = series.state
    if state.state in (State.NOT_RUN, State.INCONCLUSIVE):
        return f"{state.state.value.replace('-', ' ')}{_reason_of_newest(series)}"
    decided = [revision for revision in series.revisions if revision.verdict.is_decided]
    oldest, newest = decided[0], decided[-1]
    unit = "release" if series.key.source == "releases" else "commit"
    counts = _describe_failures(series.defect, newest)
    if state.fixed_in is not None and state.last_affected is not None:
        fixed_in = series.revisions[state.fixed_in]
        last_affected = series.revisions[state.last_affected]
        return (
            f"fixed in {fixed_in.record.name}; last affected {last_affected.record.name}"
            f" ({_describe_failures(series.defect, last_affected)}, then"
            f" {_describe_failures(series.defect, fixed_in, '')})"
        )
    span = f"{oldest.record.name} to {newest.record.name}"
    if state.state is State.AFFECTED:
        if all(revision.verdict is Verdict.OBSERVED for revision in decided):
            return (
                f"affected in every {unit} measured, {span}"
                f" ({len(decided)} measured; newest: {counts})"
            )
        if state.since is not None:
            since = series.revisions[state.since].record.name
            before = _describe_before(series)
            return f"affected since {since}{before} (newest, {newest.record.name}: {counts})"
    return f"never observed in {len(decided)} {unit}s, {span} (newest: {counts})"


def _describe_before(series: Series) -> str:
    """Return the last revision before the one that a state began with.

    Nothing where it is the next, or where the change may be in other places as well.
    """
    change = series.history.changes[-1] if series.history.changes else None
    if change is None or change.at != series.state.since:
        return ""
    if series.exact[-1] or len(change.places) > 1:
        return ""
    after, at = change.after, change.at
    between = series.revisions[after + 1 : at]
    is_unmeasured = all(revision.verdict is Verdict.NOT_RUN for revision in between)
    known = "were not measured" if is_unmeasured else "are not decided"
    return f", not in {series.revisions[after].record.name}, those between {known}"


def format_confidence(series: Series) -> str:
    """Return the confidence of a series' state in percent, or ``unknown``."""
    confidence = series.state.confidence
    return "unknown" if confidence is None else format_probability(confidence)


def format_probability(probability: float) -> str:
    """Return a probability in percent; what is nearly certain is not rounded up to certain."""
    return "> 99.99 %" if probability > 0.9999 else f"{100 * probability:.2f} %"


def _describe_failures(defect: str, revision: JudgedRevision, unit: str = " trials failed") -> str:
    """Return ``93 of 100 trials failed`` for the measurement that speaks for a revision.

    Where only an exploration does, what that shows.
    """
    counts = revision.largest_counts
    if counts is not None:
        refused = f", as upstream refuses {describe_refusal(defect)}" if revision.is_refused else ""
        return f"{counts.n_failures} of {counts.n_trials}{unit}{refused}"
    return summarise_explorations(revision.explorations) or "no trials failed"


def _reason_of_newest(series: Series) -> str:
    for measurement in reversed(series.measurements):
        if measurement.judgement.reason:
            # In one line; it is upstream's text, and stands on terminals and in logs.
            reason = " ".join(measurement.judgement.reason.split())
            return f" ({measurement.record.name}: {reason[:300]})"
    return ""
