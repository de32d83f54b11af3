"""A finding in words: one sentence, and Markdown for a pull request."""

from __future__ import annotations

from fixwatch.commands.check.summary import quote_markdown
from fixwatch.commands.pinpoint.findings import Finding
from fixwatch.statistics.binomial import Counts, upper_bound
from fixwatch.statistics.search_planning import SearchAnswer

# Commits in the table, those nearest to the change; all of them are in the JSON.
MAX_ROWS = 16
# Possible places that are named; all of them are in the JSON.
MAX_NAMED = 10


def state_answer(finding: Finding) -> str:
    """Return the answer in one sentence."""
    place = finding.change.placement
    if finding.answer is SearchAnswer.NO_CHANGE:
        return (
            f"no change in this range (probability {finding.change.no_change:.4f}, supposing that "
            f"it has one at most; {len(finding.measured)} of {finding.n_candidates} commits "
            f"measured): {_say_kind(finding)}"
        )
    at = finding.commits[place.at]
    if finding.answer is SearchAnswer.FOUND:
        return (
            f"{place.kind.value} in {at.commit} ({at.date[:10]}), "
            f"probability {place.probability:.4f}, {'exact' if finding.is_exact else 'not exact'}"
        )
    if finding.change.no_change >= place.kind_probability:
        return f"not decided: no change is likeliest (probability {finding.change.no_change:.4f})"
    return (
        f"not decided: {place.kind.value} (probability {place.kind_probability:.4f}) in one of "
        f"{len(place.places)} commits, likeliest {at.commit} ({place.probability:.4f})"
    )


def _say_kind(finding: Finding) -> str:
    """Say what the whole range is like."""
    n_failures = int(finding.observations.failures.sum())
    n_trials = int(finding.observations.trials.sum())
    if finding.change.still_affected > finding.change.no_change / 2:
        return f"affected throughout, {n_failures} of {n_trials} trials failed"
    bound = upper_bound(Counts(n_failures, n_trials))
    return f"never observed, {n_failures} of {n_trials} trials failed (rate at most {bound:.2g})"


def render_markdown(finding: Finding) -> str:
    """Return a summary fit for a pull request or an issue."""
    settings, observed = finding.settings, finding.observations
    answer = state_answer(finding)
    lines = [
        f"### {finding.upstream}: {_title(finding)}",
        "",
        f"{answer[:1].upper()}{answer[1:]}.",
        "",
        f"Searched {quote_markdown(settings.range)}: {finding.n_candidates} candidates, "
        f"workload {quote_markdown(settings.workload)} on the {settings.target}. This search "
        f"took {finding.spent.builds} builds, {finding.spent.trials} trials and "
        f"{finding.spent.duration_s:.0f} s; what was measured before counts too.",
        "",
        "| commit | date | trials that failed | |",
        "|---|---|---|---|",
    ]
    shown = sorted(finding.measured, key=lambda index: abs(index - finding.change.placement.at))
    for index in sorted(shown[:MAX_ROWS]):
        commit = finding.commits[index]
        n_failures, n_trials = (int(x[index].sum()) for x in (observed.failures, observed.trials))
        lines.append(
            f"| {quote_markdown(commit.name)} | {commit.date[:10]} | "
            f"{n_failures} of {n_trials} | {_mark(finding, index)} |"
        )
    if len(shown) > MAX_ROWS:
        lines.append(f"| {len(shown) - MAX_ROWS} more commits | | measured | |")
    for index, gap in sorted(observed.gaps.items()):
        commit = finding.commits[index]
        lines.append(
            f"| {quote_markdown(commit.name)} | {commit.date[:10]} | not run | "
            f"{quote_markdown(f'{gap.stage}: {gap.reason}')} |"
        )
    lines += ["", *_list_doubts(finding)]
    return "\n".join(lines).rstrip() + "\n"


def _title(finding: Finding) -> str:
    place = finding.change.placement
    if finding.answer is SearchAnswer.FOUND:
        return f"{place.kind.value} in {quote_markdown(finding.commits[place.at].name)}"
    return {SearchAnswer.NO_CHANGE: "no change in this range"}.get(finding.answer, "not decided")


def _mark(finding: Finding, index: int) -> str:
    if finding.answer is not SearchAnswer.FOUND:
        return ""
    return {finding.after: "last before", finding.change.placement.at: "first after"}.get(index, "")


def _list_doubts(finding: Finding) -> list[str]:
    """Say what stands in the way of an exact answer."""
    if finding.answer is SearchAnswer.FOUND and finding.is_exact:
        return ["This commit and the one right before it were measured: the place is exact."]
    doubtful = finding.missing
    if finding.answer is SearchAnswer.NOT_DECIDED:
        doubtful = tuple(finding.commits[index] for index in finding.change.placement.places)
    if not doubtful:
        return []
    names = ", ".join(quote_markdown(commit.name) for commit in doubtful[:MAX_NAMED])
    more = f" and {len(doubtful) - MAX_NAMED} more" if len(doubtful) > MAX_NAMED else ""
    return [f"It may lie in {names}{more}."]
