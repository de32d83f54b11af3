"""What a search was asked, what it took, and what it ended with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from pydantic import Field

from fixwatch.commands.pinpoint.observations import MeasuringSetup, Observations
from fixwatch.history.listing import ListedCommit
from fixwatch.records.fields import Closed, Number
from fixwatch.statistics.search_planning import SearchAnswer, find_answer
from fixwatch.statistics.single_change import SingleChange


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is searched for, and where."""

    range: str  # as it was given
    workload: str
    target: str
    own: MeasuringSetup  # on this machine
    max_builds: int | None = None  # None for what halving a noisy range may take


@dataclass(frozen=True, kw_only=True)
class Spent(Closed):
    """What this search took; what an earlier one measured is not in it."""

    builds: Number
    """Commits that were built, or could not be."""
    trials: Number
    """Trials of the workload that was searched with, without explorations."""
    duration_s: Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What a search ended with."""

    settings: Settings
    upstream: str
    change: SingleChange
    # The candidates, oldest first; also those that were taken in to look between two of them.
    commits: tuple[ListedCommit, ...]
    observations: Observations
    n_candidates: int  # how many there were to begin with
    spent: Spent

    @property
    def answer(self) -> SearchAnswer:
        """What can be stated."""
        return find_answer(self.change, self.observations.gaps)

    @property
    def after(self) -> int:
        """The index of the last commit with trials before the likeliest place; -1 without one."""
        return max(
            (index for index in self.measured if index < self.change.placement.at), default=-1
        )

    @property
    def missing(self) -> tuple[ListedCommit, ...]:
        """Commits without trials right before a found change: it may lie in one of them as well."""
        if self.answer is not SearchAnswer.FOUND:
            return ()
        return self.commits[self.after + 1 : self.change.placement.at]

    @property
    def is_exact(self) -> bool:
        """Whether a change was found, and its commit and the one right before it were measured."""
        is_measured = self.change.placement.at in self.measured
        return self.answer is SearchAnswer.FOUND and is_measured and not self.missing

    @cached_property
    def measured(self) -> list[int]:
        """The indices of the commits with trials, oldest first."""
        return [int(index) for index in np.flatnonzero(self.observations.trials.sum(axis=1))]
