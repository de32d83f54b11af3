"""A finding as JSON; docs/pinpoint.schema.json is its schema."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from fixwatch.commands.pinpoint.findings import Finding
from fixwatch.history.listing import ListedCommit
from fixwatch.statistics.change_points import MIN_PROBABILITY, SET_PROBABILITY
from fixwatch.statistics.search_planning import SearchAnswer

FORMAT_VERSION = 1
# Decimal places of a probability.
N_DIGITS = 6


def build_document(finding: Finding) -> dict[str, Any]:
    """Return the object that ``--json`` prints."""
    change, answer, commits = finding.change, finding.answer, finding.commits
    place, is_found = change.placement, answer is SearchAnswer.FOUND
    has_change = answer is not SearchAnswer.NO_CHANGE
    after = commits[finding.after] if is_found and finding.after >= 0 else None
    return {
        "version": FORMAT_VERSION,
        "upstream": finding.upstream,
        "range": finding.settings.range,
        "workload": finding.settings.workload,
        "target": finding.settings.target,
        "answer": answer.value,
        "stated_from": MIN_PROBABILITY,
        "kind": place.kind.value if has_change else None,
        "after": _describe(after) if after else None,
        "at": _describe(commits[place.at]) if has_change else None,
        "probability": round(place.probability, N_DIGITS),
        "kind_probability": round(place.kind_probability, N_DIGITS),
        "no_change_probability": round(change.no_change, N_DIGITS),
        "places": [_describe(commits[index]) for index in place.places] if has_change else [],
        "places_hold": SET_PROBABILITY,
        "exact": finding.is_exact,
        "missing": [_describe(commit) for commit in finding.missing],
        "candidates": finding.n_candidates,
        "measurements": _list_measurements(finding),
        "unmeasurable": [
            {"revision": _describe(commits[index]), **asdict(gap)}
            for index, gap in sorted(finding.observations.gaps.items())
        ],
        "spent": asdict(finding.spent),
    }


def _list_measurements(finding: Finding) -> list[dict[str, Any]]:
    """Return the counts by commit and way of measuring, oldest commit first."""
    observed = finding.observations
    return [
        {
            "revision": _describe(finding.commits[int(index)]),
            **asdict(observed.setups[column]),
            "trials": int(observed.trials[index, column]),
            "failures": int(observed.failures[index, column]),
        }
        for index, column in np.argwhere(observed.trials)
    ]


def _describe(commit: ListedCommit) -> dict[str, str]:
    return {"commit": commit.commit, "name": commit.name, "date": commit.date}
