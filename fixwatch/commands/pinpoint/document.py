"""A finding as JSON; docs/pinpoint.schema.json is written from these models."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from fixwatch.commands.pinpoint.findings import Finding, Spent
from fixwatch.history.listing import ListedCommit
from fixwatch.records import fields
from fixwatch.records.fields import Closed, IsoMoment, Number, Probability
from fixwatch.statistics.change_points import MIN_PROBABILITY, SET_PROBABILITY, ChangeKind
from fixwatch.statistics.search_planning import SearchAnswer

# Decimal places of a probability.
N_DIGITS = 6


@dataclass(frozen=True, kw_only=True)
class SearchedCommit(Closed):
    """A commit of the range."""

    commit: fields.Hash
    name: str
    """Tag or short hash."""
    date: IsoMoment
    """Committer date, in UTC."""


@dataclass(frozen=True, kw_only=True)
class MeasuredCommit(Closed):
    """Counts of a commit, whenever and wherever they were measured."""

    revision: SearchedCommit
    machine: str
    python: str
    schedule: str
    trials: fields.PositiveNumber
    """Under explore 1, whatever it ran: an exploration is one experiment."""
    failures: Number
    """Failures with the signature of the workload's defect."""


@dataclass(frozen=True, kw_only=True)
class UnmeasurableCommit(Closed):
    """A commit that was tried on this machine and says nothing; it stays a candidate."""

    revision: SearchedCommit
    stage: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PinpointDocument(Closed):
    """What python -m fixwatch pinpoint --json prints."""

    version: Literal[1] = 1
    upstream: fields.Upstream
    range: str
    """The range as it was given."""
    workload: str
    target: fields.Target
    answer: SearchAnswer
    """Exit status 0, 0 and 4."""
    stated_from: Probability
    """An answer other than not-decided has at least this probability."""
    kind: ChangeKind | None
    """Kind of the likeliest change; null where there is none."""
    after: SearchedCommit | None
    """The last measured commit before the change."""
    at: SearchedCommit | None
    """The first commit behind the change, where it is likeliest."""
    probability: Probability
    """Probability that the change is of this kind and at this commit."""
    kind_probability: Probability
    """Probability that there is a change of this kind anywhere in the range."""
    no_change_probability: Probability
    places: list[SearchedCommit]
    """The commits that hold places_hold of kind_probability, oldest first."""
    places_hold: Probability
    exact: bool
    """Found, and the commit and the one right before it on the branch were measured."""
    missing: list[SearchedCommit]
    """Commits without trials between after and at; empty where exact."""
    candidates: Number
    """Commits of the range that were searched, relevant ones by default."""
    measurements: list[MeasuredCommit]
    """What the answer rests on, oldest commit first."""
    unmeasurable: list[UnmeasurableCommit]
    spent: Spent


def build_document(finding: Finding) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    change, answer, commits = finding.change, finding.answer, finding.commits
    observed = finding.observations
    place, is_found = change.placement, answer is SearchAnswer.FOUND
    has_change = answer is not SearchAnswer.NO_CHANGE
    document = PinpointDocument(
        upstream=finding.upstream,
        range=finding.settings.range,
        workload=finding.settings.workload,
        target=finding.settings.target,
        answer=answer,
        stated_from=MIN_PROBABILITY,
        kind=place.kind if has_change else None,
        after=_describe(commits[finding.after]) if is_found and finding.after >= 0 else None,
        at=_describe(commits[place.at]) if has_change else None,
        probability=round(place.probability, N_DIGITS),
        kind_probability=round(place.kind_probability, N_DIGITS),
        no_change_probability=round(change.no_change, N_DIGITS),
        places=[_describe(commits[index]) for index in place.places] if has_change else [],
        places_hold=SET_PROBABILITY,
        exact=finding.is_exact,
        missing=[_describe(commit) for commit in finding.missing],
        candidates=finding.n_candidates,
        measurements=[
            MeasuredCommit(
                revision=_describe(commits[int(index)]),
                **asdict(observed.setups[column]),
                trials=int(observed.trials[index, column]),
                failures=int(observed.failures[index, column]),
            )
            for index, column in np.argwhere(observed.trials)
        ],
        unmeasurable=[
            UnmeasurableCommit(revision=_describe(commits[index]), **asdict(gap))
            for index, gap in sorted(observed.gaps.items())
        ],
        spent=finding.spent,
    )
    return asdict(document)


def _describe(commit: ListedCommit) -> SearchedCommit:
    return SearchedCommit(commit=commit.commit, name=commit.name, date=commit.date)
