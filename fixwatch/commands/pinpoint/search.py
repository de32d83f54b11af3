"""The search: what is known, what to measure next, and when to stop.

Everything that it knows lies in the records on disk, so a search that was interrupted goes on
where it was, and measurements from elsewhere count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from fixwatch.commands.pinpoint.findings import Finding, Settings, Spent
from fixwatch.commands.pinpoint.measuring import LOG_PATH, CommitMeasurer
from fixwatch.commands.pinpoint.observations import Observations, observe, select_records
from fixwatch.errors import CouldNotMeasureError, FixwatchError
from fixwatch.history.listing import ListedCommit
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.records.evidence import iter_evidence
from fixwatch.statistics.change_points import MIN_PROBABILITY, find_change_points
from fixwatch.statistics.search_planning import (
    TRIALS,
    Costs,
    SearchAnswer,
    Step,
    choose_step,
    find_answer,
)
from fixwatch.statistics.single_change import SingleChange

Announce = Callable[[str], None]

# Measured on 2 cores, see docs/method.md; only their ratios matter.
COSTS = {
    "numba": Costs(build_s=25.0, visit_s=8.0, trial_s=0.005),
    "numba-cuda": Costs(build_s=5.0, visit_s=8.0, trial_s=0.005),
}
DEFAULT_COSTS = COSTS["numba"]
# A range of which so many commits fail and none is measured is not worth going on with.
MAX_FIRST_FAILURES = 3
# No batch gets more trials than this.
MAX_TRIALS = 30_000


class Search:
    """A search through the commits of a range.

    Parameters
    ----------
    settings
        What is searched for.
    commits
        The candidates, oldest first.
    repository
        Which knows the commits between them.
    results_dir
        Where the records are.
    measurer
        Which adds to them.
    announce
        Called with a line for each step.
    """

    def __init__(
        self,
        settings: Settings,
        commits: Sequence[ListedCommit],
        repository: UpstreamMirror,
        results_dir: Path,
        measurer: CommitMeasurer,
        announce: Announce,
    ) -> None:
        self._settings = settings
        self._commits = list(commits)
        self._n_candidates = len(commits)
        self._repository = repository
        self._results_dir = results_dir
        self._measurer = measurer
        self._announce = announce
        self._n_builds = 0
        self._n_trials = 0
        self._n_failed = 0
        # Commits of which trials bring nothing more, whatever is asked for.
        self._exhausted: set[str] = set()
        # Commits that this search has built; another's failures may have passed.
        self._tried: set[str] = set()

    def run(self) -> Finding:
        """Measure until the answer is sure, or nothing more can be learned.

        Raises
        ------
        CouldNotMeasureError
            If asv stops, or nothing can be measured.
        FixwatchError
            If the range has more than one change.
        """
        start_s = time.monotonic()
        observations = self._observe()
        while True:
            self._check_there_is_one_change(observations)
            change = observations.infer()
            step = self._choose(change, observations)
            if step is None and find_answer(change) is SearchAnswer.FOUND:
                at = change.placement.at
                n_between = self._take_in_between(at)
                if n_between:
                    observations = self._observe()
                    change = observations.infer()
                    # It may lie in one of them; the newest, the direct parent, tells.
                    parent = at + n_between - 1
                    if observations.trials[parent].any() or parent in observations.gaps:
                        continue
                    step = Step(parent, TRIALS[0])
            if step is None or self._has_spent_all(step, observations):
                break
            observations = self._measure(step, observations)
        return Finding(
            settings=self._settings,
            upstream=self._repository.upstream,
            change=change,
            commits=tuple(self._commits),
            observations=observations,
            n_candidates=self._n_candidates,
            spent=Spent(
                builds=self._n_builds,
                trials=self._n_trials,
                duration_s=round(time.monotonic() - start_s, 1),
            ),
        )

    def _check_there_is_one_change(self, observations: Observations) -> None:
        """Refuse a range with several changes, of which a search for one would make nonsense."""
        measured = np.flatnonzero(observations.trials.sum(axis=1))
        found = find_change_points(observations.failures[measured], observations.trials[measured])
        sure = [change for change in found.changes if change.probability >= MIN_PROBABILITY]
        if len(sure) < 2:
            return
        names = [
            f"{change.kind.value} in {self._commits[measured[change.after]].name}.."
            f"{self._commits[measured[change.at]].name}"
            for change in sure
        ]
        raise FixwatchError(
            f"the range {self._settings.range!r} has {len(sure)} changes: {', '.join(names)}; "
            "give a range with one of them"
        )

    def _choose(self, change: SingleChange, observations: Observations) -> Step | None:
        costs = COSTS.get(self._repository.upstream, DEFAULT_COSTS)
        costs_s = [
            self._find_cost(index, observations, costs) for index in range(len(self._commits))
        ]
        return choose_step(change, 0, costs_s, costs.trial_s)

    def _find_cost(self, index: int, observations: Observations, costs: Costs) -> float:
        commit = self._commits[index].commit
        is_gap = index in observations.gaps
        if commit in self._exhausted or (is_gap and commit in self._tried):
            return math.inf
        if is_gap or index not in observations.own:
            return costs.build_s + costs.visit_s
        is_full = observations.trials[index, 0] >= MAX_TRIALS
        return math.inf if is_full else costs.visit_s

    def _take_in_between(self, at: int) -> int:
        """Take in the commits between a change and its neighbour; return how many are new."""
        known = {commit.commit for commit in self._commits}
        before, behind = self._commits[at - 1 : at + 1]
        between = [
            commit
            for commit in self._repository.list_between(before.commit, behind.commit)
            if commit.commit not in known
        ]
        self._commits[at:at] = between
        return len(between)

    def _has_spent_all(self, step: Step, observations: Observations) -> bool:
        limit = self._settings.max_builds
        is_build = self._is_build(step.index, observations)
        return limit is not None and is_build and self._n_builds >= limit

    @staticmethod
    def _is_build(index: int, observations: Observations) -> bool:
        return index not in observations.own or index in observations.gaps

    def _measure(self, step: Step, observations: Observations) -> Observations:
        """Measure, and return what is known then."""
        commit = self._commits[step.index]
        before = observations.trials[step.index, 0]
        if self._is_build(step.index, observations):
            self._announce(f"measuring {commit.name} ({commit.date[:10]})")
            self._n_builds += 1
            self._tried.add(commit.commit)
            self._measurer.measure(commit.commit)
        else:
            record = observations.own[step.index]
            wanted = min(int(before) + step.n_trials, MAX_TRIALS)
            self._announce(f"{commit.name}: going on to {wanted} trials")
            schedule = self._settings.own.schedule
            self._measurer.extend(record, self._settings.workload, schedule, wanted)
        after = self._observe()
        if step.index not in after.own:
            raise CouldNotMeasureError(
                f"asv left no record of {commit.name}; {LOG_PATH} has what it printed"
            )
        if after.trials[step.index, 0] <= before:
            self._exhausted.add(commit.commit)
        self._n_trials += int(
            after.trials[step.index].sum() - observations.trials[step.index].sum()
        )
        self._report(step.index, after)
        self._give_up_where_nothing_runs(step.index, after)
        return after

    def _give_up_where_nothing_runs(self, index: int, observations: Observations) -> None:
        """Stop where the first commits fail one like the other: it is not they that are broken."""
        self._n_failed += index in observations.gaps
        if self._n_failed >= MAX_FIRST_FAILURES and len(self._tried) == self._n_failed:
            gap = observations.gaps[index]
            reason = gap.reason.strip().splitlines()[-1]
            raise CouldNotMeasureError(
                f"the first {self._n_failed} commits could not be measured; mend that and run the "
                f"command again ({gap.stage}: {reason})"
            )

    def _report(self, index: int, observations: Observations) -> None:
        commit = self._commits[index]
        if index in observations.gaps:
            gap = observations.gaps[index]
            self._announce(f"{commit.name}: cannot be measured, {gap.stage}: {gap.reason}")
            return
        change = observations.infer()
        place = change.placement
        self._announce(
            f"{commit.name}: {observations.failures[index].sum():.0f} of "
            f"{observations.trials[index].sum():.0f} trials failed; no change "
            f"{change.no_change:.3f}, {place.kind.value} {place.kind_probability:.3f}, likeliest "
            f"at {self._commits[place.at].name} ({place.probability:.3f}), "
            f"{len(place.places)} commits hold 99 % of that"
        )

    def _observe(self) -> Observations:
        records = select_records(
            iter_evidence(self._results_dir, self._announce),
            self._repository.upstream,
            self._settings.target,
        )
        return observe(self._commits, records, self._settings.workload, self._settings.own)
