"""What a search found, as JSON and as Markdown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from fixwatch.checking.summary import quote_markdown
from fixwatch.history.listing import ListedCommit
from fixwatch.pinpointing.observations import Observations, Way
from fixwatch.statistics.binomial import Counts, upper_bound
from fixwatch.statistics.change_points import SET_PROBABILITY
from fixwatch.statistics.search_planning import Answer, find_answer
from fixwatch.statistics.single_change import SingleChange
from fixwatch.statistics.states import MIN_PROBABILITY

FORMAT_VERSION = 1
# In a summary those nearest to the change are listed; all of them are in the JSON.
MAX_ROWS = 16
# A place that is less likely than this is not named; all of them are in the JSON's `places`.
MAX_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is searched for, and where.

    Attributes
    ----------
    range
        As it was given.
    workload, target
        Whose failures count.
    own
        The way of measuring on this machine.
    max_builds
        How many commits are measured that were not before; None for no limit.
    """

    range: str
    workload: str
    target: str
    own: Way
    max_builds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What a search took; what was measured before is not in it.

    Attributes
    ----------
    builds
        Commits that were built, or could not be.
    trials
        Of the workload that was searched with.
    """

    builds: int
    trials: int
    duration_s: float


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a search ended with.

    Attributes
    ----------
    change
        What is known of the change.
    commits
        The candidates, oldest first; also those that were taken in to look between two of them.
    n_candidates
        How many there were to begin with.
    """

    settings: Settings
    upstream: str
    change: SingleChange
    commits: tuple[ListedCommit, ...]
    observations: Observations
    n_candidates: int
    spent: Spent

    @property
    def answer(self) -> Answer:
        """What can be stated."""
        return find_answer(self.change, self.observations.gaps)

    @property
    def after(self) -> int:
        """The index of the last commit with trials before the likeliest place; -1 without one."""
        return max((each for each in self._measured if each < self.change.placement.at), default=-1)

    @property
    def missing(self) -> tuple[ListedCommit, ...]:
        """Commits without trials that a found change may as well lie in, were they affected."""
        if self.answer is not Answer.FOUND:
            return ()
        return self.commits[self.after + 1 : self.change.placement.at]

    @property
    def is_exact(self) -> bool:
        """Whether a change was found, and its commit and the one right before it were measured."""
        is_measured = self.change.placement.at in self._measured
        return self.answer is Answer.FOUND and is_measured and not self.missing

    @cached_property
    def _measured(self) -> list[int]:
        return [int(each) for each in np.flatnonzero(self.observations.trials.sum(axis=1))]

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints; docs/pinpoint.schema.json describes it."""
        place, is_found = self.change.placement, self.answer is Answer.FOUND
        has_change = self.answer is not Answer.NO_CHANGE
        return {
            "version": FORMAT_VERSION,
            "upstream": self.upstream,
            "range": self.settings.range,
            "workload": self.settings.workload,
            "target": self.settings.target,
            "answer": self.answer.value,
            "stated_from": MIN_PROBABILITY,
            "kind": place.kind.value if has_change else None,
            "after": self._describe(self.after) if is_found and self.after >= 0 else None,
            "at": self._describe(place.at) if has_change else None,
            "probability": _round(place.probability),
            "kind_probability": _round(place.kind_probability),
            "no_change_probability": _round(self.change.no_change),
            "places": [self._describe(index) for index in place.places] if has_change else [],
            "places_hold": SET_PROBABILITY,
            "exact": self.is_exact,
            "missing": [_describe(each) for each in self.missing],
            "candidates": self.n_candidates,
            "measurements": self._list_measurements(),
            "unmeasurable": [
                {"revision": self._describe(index), **asdict(gap)}
                for index, gap in sorted(self.observations.gaps.items())
            ],
            "spent": asdict(self.spent),
        }

    def _list_measurements(self) -> list[dict[str, Any]]:
        """Return the counts by commit and way of measuring, oldest commit first."""
        observed = self.observations
        return [
            {
                "revision": self._describe(int(index)),
                **asdict(observed.ways[column]),
                "trials": int(observed.trials[index, column]),
                "failures": int(observed.failures[index, column]),
            }
            for index, column in np.argwhere(observed.trials)
        ]

    def _describe(self, index: int) -> dict[str, str]:
        return _describe(self.commits[index])

    def state(self) -> str:
        """Return the answer in one sentence."""
        place = self.change.placement
        if self.answer is Answer.NO_CHANGE:
            return (
                f"no change in this range (probability {self.change.no_change:.4f}, supposing that "
                f"it has one at most; {len(self._measured)} of {self.n_candidates} commits "
                f"measured): {self._say_kind()}"
            )
        at = self.commits[place.at]
        if self.answer is Answer.FOUND:
            return (
                f"{place.kind.value} in {at.commit} ({at.date[:10]}), "
                f"probability {place.probability:.4f}, {'exact' if self.is_exact else 'not exact'}"
            )
        if self.change.no_change >= place.kind_probability:
            return f"not decided: no change is likeliest (probability {self.change.no_change:.4f})"
        return (
            f"not decided: {place.kind.value} (probability {place.kind_probability:.4f}) in one of "
            f"{len(place.places)} commits, likeliest {at.commit} ({place.probability:.4f})"
        )

    def _say_kind(self) -> str:
        """Say what the whole range is like."""
        n_failures = int(self.observations.failures.sum())
        n_trials = int(self.observations.trials.sum())
        if self.change.still_affected > self.change.no_change / 2:
            return f"affected throughout, {n_failures} of {n_trials} trials failed"
        bound = upper_bound(Counts(n_failures, n_trials))
        return (
            f"never observed, {n_failures} of {n_trials} trials failed (rate at most {bound:.2g})"
        )

    def to_markdown(self) -> str:
        """Return a summary fit for a pull request or an issue."""
        settings, observed = self.settings, self.observations
        lines = [
            f"### {self.upstream}: {self._title()}",
            "",
            f"{self.state()[:1].upper()}{self.state()[1:]}.",
            "",
            f"Searched {quote_markdown(settings.range)}: {self.n_candidates} relevant commits, "
            f"workload {quote_markdown(settings.workload)} on the {settings.target}. This search "
            f"took {self.spent.builds} builds, {self.spent.trials} trials and "
            f"{self.spent.duration_s:.0f} s; what was measured before counts too.",
            "",
            "| commit | date | trials that failed | |",
            "|---|---|---|---|",
        ]
        shown = sorted(self._measured, key=lambda index: abs(index - self.change.placement.at))
        for index in sorted(shown[:MAX_ROWS]):
            commit = self.commits[index]
            n_failures, n_trials = (
                int(x[index].sum()) for x in (observed.failures, observed.trials)
            )
            lines.append(
                f"| {quote_markdown(commit.name)} | {commit.date[:10]} | "
                f"{n_failures} of {n_trials} | {self._mark(index)} |"
            )
        if len(shown) > MAX_ROWS:
            lines.append(f"| {len(shown) - MAX_ROWS} more commits | | measured | |")
        for index, gap in sorted(observed.gaps.items()):
            commit = self.commits[index]
            lines.append(
                f"| {quote_markdown(commit.name)} | {commit.date[:10]} | not run | "
                f"{quote_markdown(f'{gap.stage}: {gap.reason}')} |"
            )
        lines += ["", *self._list_doubts()]
        return "\n".join(lines).rstrip() + "\n"

    def _title(self) -> str:
        place = self.change.placement
        if self.answer is Answer.FOUND:
            return f"{place.kind.value} in {quote_markdown(self.commits[place.at].name)}"
        return {Answer.NO_CHANGE: "no change in this range"}.get(self.answer, "not decided")

    def _mark(self, index: int) -> str:
        if self.answer is not Answer.FOUND:
            return ""
        return {self.after: "last before", self.change.placement.at: "first after"}.get(index, "")

    def _list_doubts(self) -> list[str]:
        """Say what stands in the way of an exact answer."""
        if self.answer is Answer.FOUND and self.is_exact:
            return ["This commit and the one right before it were measured: the place is exact."]
        doubtful = self.missing
        if self.answer is Answer.NOT_DECIDED:
            doubtful = tuple(self.commits[index] for index in self.change.placement.places)
        if not doubtful:
            return []
        names = ", ".join(quote_markdown(each.name) for each in doubtful[:MAX_NAMED])
        more = f" and {len(doubtful) - MAX_NAMED} more" if len(doubtful) > MAX_NAMED else ""
        return [f"It may lie in {names}{more}."]


def _describe(commit: ListedCommit) -> dict[str, str]:
    return {"commit": commit.commit, "name": commit.name, "date": commit.date}


def _round(probability: float) -> float:
    return round(probability, 6)
