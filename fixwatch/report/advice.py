"""In words which releases are free of which defects, and what remains in them.

A sentence that calls releases free of a defect is followed by the ones that they still have, or are
not known not to have.
"""

from __future__ import annotations

from collections.abc import Sequence

from fixwatch.report.answer import describe_refusal, join_names
from fixwatch.report.document import AdviceEntry
from fixwatch.verdicts.judgements import Verdict
from fixwatch.verdicts.pin_advice import ReleaseAssessment, UpstreamReleases


def describe_advice(upstream: UpstreamReleases) -> list[AdviceEntry]:
    """Return the advice on each defect, as it stands in the fix-status document."""
    return [_describe_one(upstream, defect) for defect in upstream.defects]


def _describe_one(upstream: UpstreamReleases, defect: str) -> AdviceEntry:
    newest_free = upstream.find_free_from(defect)
    return {
        "upstream": upstream.upstream,
        "defect": defect,
        "free_from": newest_free[-1].version if newest_free else None,
        "not_free": [
            release.version
            for release in upstream.releases
            if release.find(defect).verdict is Verdict.OBSERVED
        ],
        "text": _describe_free(upstream, defect),
    }


def _describe_free(upstream: UpstreamReleases, defect: str) -> str:
    name, runs = upstream.upstream, upstream.find_free_runs(defect)
    free = [release for run in runs for release in run]
    if not free:
        verdicts = [(release, release.find(defect).verdict) for release in upstream.releases]
        measured = [release for release, verdict in verdicts if verdict is not Verdict.NOT_RUN]
        if not measured:
            return f"{defect} was not measured in any release of {name}."
        if {verdict for _, verdict in verdicts} <= {Verdict.OBSERVED, Verdict.NOT_RUN}:
            if len(measured) == 1:
                version = measured[0].version
                return f"{name} {version}, the only release measured for it, has {defect}."
            all_of_them = f"All {len(measured)} releases of {name} measured for it"
            return f"{all_of_them}, {_span(measured)}, have {defect}."
        return f"No measured release of {name} is known to be free of {defect}."
    if newest := upstream.find_free_from(defect):
        free, says = newest, _describe_run(upstream, newest, defect)
    else:
        listed = _list_runs(runs)
        says = f"Only these measured releases of {name} are known to be free of {defect}: {listed}"
    if n_refused := sum(release.find(defect).is_refused for release in free):
        which = "They refuse" if n_refused == len(free) else f"{n_refused} of them refuse"
        says += f". {which} {describe_refusal(defect)}"
    return f"{says}. {_describe_remaining(upstream, free, (defect,))}"


def summarise_advice(upstream: UpstreamReleases) -> str:
    """Say in few sentences which releases have none of the defects, and what the newest has."""
    name, defects, newest = upstream.upstream, upstream.defects, upstream.releases[0]
    listed = join_names(defects)
    every = "all known defects" if len(defects) > 1 else listed
    if run := upstream.find_free_from(*defects):
        says = _describe_run(upstream, run, listed)
        return f"{says}. {_describe_remaining(upstream, run, defects)}"
    runs = upstream.find_free_runs(*defects)
    if runs:
        says = f"Only {_list_runs(runs)} of {name} is known to be free of {every}"
    elif all(map(_has_one, upstream.releases)):
        says = f"No measured release of {name} is free of {every}"
    else:
        says = f"No measured release of {name} is known to be free of {every}"
    return f"{says}. The newest, {newest.version}, {_describe_release(upstream)}."


def _has_one(release: ReleaseAssessment) -> bool:
    return any(found.verdict is Verdict.OBSERVED for found in release.defects.values())


def _describe_release(upstream: UpstreamReleases) -> str:
    """Say of the newest release which defects it has, which not, and which are not known."""
    newest = upstream.releases[0]
    verdicts = {defect: newest.find(defect).verdict for defect in upstream.defects}
    has = [defect for defect in verdicts if verdicts[defect] is Verdict.OBSERVED]
    free = [
        f"{defect}{_since(upstream, defect)}"
        for defect in verdicts
        if verdicts[defect] is Verdict.NOT_OBSERVED
    ]
    unknown = [defect for defect in verdicts if not verdicts[defect].is_decided]
    parts = [
        *([f"has {join_names(has)}"] if has else []),
        *([f"is free of {join_names(free)}"] if free else []),
        *([f"is not known to be free of {join_names(unknown)}"] if unknown else []),
    ]
    return join_names(parts)


def _since(upstream: UpstreamReleases, defect: str) -> str:
    run = upstream.find_free_from(defect)
    return f" (from {run[-1].version} on)" if len(run) > 1 else ""


def _describe_remaining(
    upstream: UpstreamReleases, releases: Sequence[ReleaseAssessment], defects: Sequence[str]
) -> str:
    """Say which of the other defects remain in some releases."""
    others = [defect for defect in upstream.defects if defect not in defects]
    has, unknown = [], []
    for defect in others:
        verdicts = [release.find(defect).verdict for release in releases]
        if n_observed := verdicts.count(Verdict.OBSERVED):
            some = "" if n_observed == len(verdicts) else f" (in {n_observed} of them)"
            has.append(f"{defect}{some}")
        elif not all(verdict is Verdict.NOT_OBSERVED for verdict in verdicts):
            unknown.append(defect)
    if not others:
        return "No other defect is looked for."
    if not has and not unknown:
        return f"Free of {join_names(others)}, too; no other defect is looked for."
    return " ".join(
        [
            *([f"What remains: {join_names(has)}."] if has else []),
            *([f"Not known to be absent: {join_names(unknown)}."] if unknown else []),
        ]
    )


def _describe_run(upstream: UpstreamReleases, run: Sequence[ReleaseAssessment], free: str) -> str:
    """Say what the newest releases are free of, and how many of them were measured."""
    newest, oldest = run[0].version, run[-1].version
    if len(run) == 1:
        return f"{upstream.upstream} {newest}, the newest release measured, is free of {free}"
    n_missing = upstream.count_unmeasured(run)
    were = "was" if n_missing == 1 else "were"
    missing = f"; {n_missing} between them {were} not measured" if n_missing else ""
    return (
        f"{upstream.upstream} >= {oldest} is free of {free}: all {len(run)} measured releases from "
        f"there to {newest} are{missing}"
    )


def _list_runs(runs: Sequence[Sequence[ReleaseAssessment]]) -> str:
    return join_names([_span(run) for run in runs])


def _span(releases: Sequence[ReleaseAssessment]) -> str:
    """Return the oldest and the newest of some releases, which are given newest first."""
    newest, oldest = releases[0].version, releases[-1].version
    return newest if newest == oldest else f"{oldest} to {newest}"
