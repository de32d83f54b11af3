"""The answer in words: one line for a series, for the terminal and the page."""

from __future__ import annotations

from fixwatch.records.evidence import Evidence
from fixwatch.statistics.states import State
from fixwatch.verdicts.judgements import Verdict, combine_verdicts
from fixwatch.verdicts.series import Measurement, Series


def describe_state(series: Series) -> str:
    """Return what a series says, with the counts that it rests on, and how much is missing."""
    missing = len(series.unmeasured)
    if not missing:
        return _describe_measured(series)
    commits = "commit is" if missing == 1 else "commits are"
    return f"{_describe_measured(series)}; {missing} relevant {commits} not measured"


def _describe_measured(series: Series) -> str:
    state = series.state
    decided = _decided(series)
    if state.state is State.NOT_RUN:
        return "not run" + _reason_of_newest(series)
    if state.state is State.INCONCLUSIVE:
        return "inconclusive" + _reason_of_newest(series)
    newest = decided[-1]
    if (
        state.state is State.FIXED
        and state.fixed_in is not None
        and state.last_affected is not None
    ):
        fixed_in = series.revisions[state.fixed_in]
        last_affected = series.revisions[state.last_affected]
        return (
            f"fixed in {fixed_in.name}; last affected {last_affected.name}"
            f" ({format_counts(series, last_affected)} trials failed, then"
            f" {format_counts(series, fixed_in)})"
        )
    n_affected = sum(verdict_of(series, each) is Verdict.OBSERVED for each in decided)
    if state.state is State.AFFECTED and n_affected == len(decided):
        return (
            f"affected in every {_unit(series)} measured, {decided[0].name} to {newest.name}"
            f" ({len(decided)} measured; newest: {format_counts(series, newest)} trials failed)"
        )
    if state.state is State.AFFECTED and state.since is not None:
        since = series.revisions[state.since]
        return (
            f"affected since {since.name}"
            f" (newest, {newest.name}: {format_counts(series, newest)} trials failed)"
        )
    return (
        f"never observed in {len(decided)} {_unit(series)}s, {decided[0].name} to {newest.name}"
        f" (newest: {format_counts(series, newest)} trials failed)"
    )


def format_confidence(series: Series) -> str:
    """Return the confidence of a series' state in percent, or ``unknown``."""
    confidence = series.state.confidence
    return "unknown" if confidence is None else format_probability(confidence)


def format_probability(probability: float) -> str:
    """Return a probability in percent; what is nearly certain is not rounded up to certain."""
    return "> 99.99 %" if probability > 0.9999 else f"{100 * probability:.2f} %"


def format_counts(series: Series, record: Evidence) -> str:
    """Return ``93 of 100`` for the schedule that decides a revision."""
    measurement = deciding_measurement(series, record)
    counts = measurement.counts if measurement else None
    return f"{counts.n_failures} of {counts.n_trials}" if counts else "no"


def deciding_measurement(series: Series, record: Evidence) -> Measurement | None:
    """Return the measurement to show for a revision: the largest with the revision's verdict."""
    verdict = verdict_of(series, record)
    matching = [
        each
        for each in series.measurements_of(record)
        if each.decides and each.judgement.verdict is verdict
    ]
    return max(matching, key=lambda each: each.counts.n_trials if each.counts else -1, default=None)


def verdict_of(series: Series, record: Evidence) -> Verdict:
    """Return the verdict of a revision over the schedules that it rests on."""
    return combine_verdicts(
        [each.judgement.verdict for each in series.measurements_of(record) if each.decides]
    )


def _decided(series: Series) -> list[Evidence]:
    return [
        record
        for record in series.revisions
        if verdict_of(series, record) in (Verdict.OBSERVED, Verdict.NOT_OBSERVED)
    ]


def _unit(series: Series) -> str:
    return "release" if series.key.source == "releases" else "commit"


def _reason_of_newest(series: Series) -> str:
    for measurement in reversed(series.measurements):
        if measurement.judgement.reason:
            # In one line; it is upstream's text, and stands on terminals and in logs.
            reason = " ".join(measurement.judgement.reason.split())
            return f" ({measurement.evidence.name}: {reason[:300]})"
    return ""
