"""The search: what is known, what to measure next, and when to stop.

Everything that it knows lies in the records on disk, so a search that was interrupted goes on
where it was, and measurements from elsewhere count.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fixwatch.asv_adapter.measuring import CommitMeasurer
from fixwatch.commands.pinpoint.findings import Finding, Settings, Spent
from fixwatch.commands.pinpoint.observations import Observations, observe, select_records
from fixwatch.errors import CouldNotMeasureError, FixwatchError
from fixwatch.history.listing import ListedCommit
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.records.evidence import iter_evidence
from fixwatch.statistics.change_points import MIN_PROBABILITY, find_change_points
from fixwatch.statistics.noisy_counts import TrialKind
from fixwatch.statistics.search_planning import (
    MAX_TRIALS,
    TRIALS,
    Costs,
    SearchAnswer,
    Step,
    choose_step,
    find_answer,
    limit_builds,
)
from fixwatch.statistics.single_change import SingleChange
from fixwatch.verdicts.targets import find_trial_kind

Announce = Callable[[str], None]

# Measured on 2 cores, see docs/method.md; only their ratios matter.
COSTS = {
    "numba": Costs(build_s=25.0, visit_s=8.0, trial_s=0.005),
    "numba-cuda": Costs(build_s=5.0, visit_s=8.0, trial_s=0.005),
}
DEFAULT_COSTS = COSTS["numba"]
# A range of which so many commits fail and none is measured is not worth going on with.
MAX_FIRST_FAILURES = 3


@dataclass
class Search:
    """A search through the commits of a range."""

    settings: Settings
    commits: list[ListedCommit]  # the candidates, oldest first; some in between may join them
    repository: UpstreamMirror
    results_dir: Path
    measurer: CommitMeasurer
    announce: Announce
    n_joined: int = 0
    n_builds: int = 0
    n_trials: int = 0
    n_failed: int = 0
    # Commits of which trials bring nothing more, whatever is asked for.
    exhausted: set[str] = field(default_factory=set)
    # Commits that this search has built; another's failures may have passed.
    tried: set[str] = field(default_factory=set)

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
        max_builds = self.settings.max_builds
        if max_builds is None:
            max_builds = limit_builds(len(self.commits))
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
            if step is None:
                break
            needs_build = observations.needs_build(step.index)
            if needs_build and self.n_builds == max_builds:
                break
            observations = self._measure(step, observations)
        return Finding(
            settings=self.settings,
            upstream=self.repository.upstream,
            change=change,
            commits=tuple(self.commits),
            observations=observations,
            n_candidates=len(self.commits) - self.n_joined,
            spent=Spent(
                builds=self.n_builds,
                trials=self.n_trials,
                duration_s=round(time.monotonic() - start_s, 1),
            ),
        )

    def _check_there_is_one_change(self, observations: Observations) -> None:
        """Refuse a range with several changes, of which a search for one would make nonsense."""
        measured = np.flatnonzero(observations.trials.sum(axis=1))
        found = find_change_points(
            observations.failures[measured],
            observations.trials[measured],
            observations.kinds,
        )
        sure = [change for change in found.changes if change.probability >= MIN_PROBABILITY]
        if len(sure) < 2:
            return
        names = [
            f"{change.kind.value} in {self.commits[measured[change.after]].name}.."
            f"{self.commits[measured[change.at]].name}"
            for change in sure
        ]
        raise FixwatchError(
            f"the range {self.settings.range!r} has {len(sure)} changes: {', '.join(names)}; "
            "give a range with one of them"
        )

    def _choose(self, change: SingleChange, observations: Observations) -> Step | None:
        costs = COSTS.get(self.repository.upstream, DEFAULT_COSTS)
        costs_s = [
            self._find_cost(index, observations, costs) for index in range(len(self.commits))
        ]
        # No exploration is run again, and no compilation.
        n_trials = (1,) if self._asks_once else TRIALS
        return choose_step(change, 0, costs_s, costs.trial_s, n_trials)

    @property
    def _asks_once(self) -> bool:
        kind = find_trial_kind(self.settings.target, self.settings.own.schedule)
        return kind is not TrialKind.SAMPLED

    def _find_cost(self, index: int, observations: Observations, costs: Costs) -> float:
        commit = self.commits[index].commit
        if commit in self.exhausted or (index in observations.gaps and commit in self.tried):
            return math.inf
        if observations.needs_build(index):
            return costs.build_s + costs.visit_s
        is_full = observations.trials[index, 0] >= (1 if self._asks_once else MAX_TRIALS)
        return math.inf if is_full else costs.visit_s

    def _take_in_between(self, at: int) -> int:
        """Take in the commits between a change and its neighbour; return how many are new."""
        known = {commit.commit for commit in self.commits}
        before, behind = self.commits[at - 1 : at + 1]
        between = [
            commit
            for commit in self.repository.list_between(before.commit, behind.commit)
            if commit.commit not in known
        ]
        self.commits[at:at] = between
        self.n_joined += len(between)
        return len(between)

    def _measure(self, step: Step, observations: Observations) -> Observations:
        """Measure, and return what is known then."""
        commit = self.commits[step.index]
        before = observations.trials[step.index, 0]
        if observations.needs_build(step.index):
            self.announce(f"measuring {commit.name} ({commit.date[:10]})")
            self.n_builds += 1
            self.tried.add(commit.commit)
            self.measurer.measure(commit.commit)
        else:
            record = observations.own[step.index]
            wanted = min(int(before) + step.n_trials, MAX_TRIALS)
            self.announce(f"{commit.name}: going on to {wanted} trials")
            schedule = self.settings.own.schedule
            self.measurer.extend(record, self.settings.workload, schedule, wanted)
        after = self._observe()
        if step.index not in after.own:
            raise CouldNotMeasureError(
                f"asv left no record of {commit.name}; {self.measurer.log_path} has what it printed"
            )
        if after.trials[step.index, 0] <= before:
            self.exhausted.add(commit.commit)
        self.n_trials += after.count_trials(step.index)[1]
        self.n_trials -= observations.count_trials(step.index)[1]
        self._report(step.index, after)
        self._give_up_where_nothing_runs(step.index, after)
        return after

    def _give_up_where_nothing_runs(self, index: int, observations: Observations) -> None:
        """Stop where the first commits fail one like the other: it is not they that are broken."""
        self.n_failed += index in observations.gaps
        if self.n_failed >= MAX_FIRST_FAILURES and len(self.tried) == self.n_failed:
            gap = observations.gaps[index]
            reason = gap.reason.strip().splitlines()[-1]
            raise CouldNotMeasureError(
                f"the first {self.n_failed} commits could not be measured; mend that and run the "
                f"command again ({gap.stage}: {reason})"
            )

    def _report(self, index: int, observations: Observations) -> None:
        commit = self.commits[index]
        if index in observations.gaps:
            gap = observations.gaps[index]
            self.announce(f"{commit.name}: cannot be measured, {gap.stage}: {gap.reason}")
            return
        change = observations.infer()
        place = change.placement
        self.announce(
            f"{commit.name}: {observations.describe(index)}; no change "
            f"{change.no_change:.3f}, {place.kind.value} {place.kind_probability:.3f}, likeliest "
            f"at {self.commits[place.at].name} ({place.probability:.3f}), "
            f"{len(place.places)} commits hold 99 % of that"
        )

    @functools.cached_property
    def _report_damage(self) -> Callable[[str], None]:
        """Name what cannot be read once, however often it is tried."""
        return functools.cache(self.announce)

    def _observe(self) -> Observations:
        records = select_records(
            iter_evidence(self.results_dir, self._report_damage),
            self.repository.upstream,
            self.settings.target,
        )
        return observe(
            self.commits,
            records,
            self.settings.workload,
            self.settings.own,
            target=self.settings.target,
        )
