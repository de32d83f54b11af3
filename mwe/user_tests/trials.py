"""The trials of a test: each in a fresh process, counted by schedule."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

from mwe.batch import Batch
from mwe.defects.defect import ANY_FAILURE, Signature
from mwe.errors import HarnessError
from mwe.isolation import Isolation, run_batch
from mwe.outcomes import FailureMode, Outcome
from mwe.runner import Trial
from mwe.schedules import Explore, Explorer, Schedule, find_schedule
from mwe.targets import Target
from mwe.user_tests.diagnosis import name_defect
from mwe.user_tests.item import SKIPPED, UserTest
from mwe.user_tests.plan import TrialPlan

# Of `natural`, they tell a test that fails whatever happens; the others tell how often.
_N_FIRST_TRIALS = 2
# A schedule under which a defect has shown so often says nothing more.
_ENOUGH_FAILURES = 3
NATURAL = "natural"
EXPLORE = "explore"


class _TooSlowError(Exception):
    """A run was ended that a schedule has slowed down."""


@dataclass(kw_only=True)
class TestBatch(Batch):
    """Counts of the runs of one test under one schedule."""

    __test__ = False  # for pytest

    by_defect: Counter[str] = field(default_factory=Counter)  # failures whose error names it
    remarks: Counter[str] = field(default_factory=Counter)  # of runs that passed, for once
    # Of the first failure that names no defect, and its mode.
    other_failure: tuple[str, str] | None = None

    @property
    def n_skipped(self) -> int:
        """Runs that pytest skipped."""
        return sum(n for remark, n in self.remarks.items() if remark.startswith(SKIPPED))

    @property
    def n_other(self) -> int:
        """Failures whose error names no defect."""
        return self.failures - sum(self.by_defect.values())

    def record(self, trial: Trial, elapsed_s: float) -> None:
        """Count one run; one that only took too long under a schedule is no failure."""
        outcome = trial.outcome
        is_ended = outcome.mode is FailureMode.HANG and trial.exploration is None
        if is_ended and self.schedule != NATURAL:
            raise _TooSlowError
        super().record(trial, elapsed_s)
        defect = name_defect(outcome)
        if defect is not None:
            self.by_defect[defect] += 1
        elif outcome.mode is None:
            self.remarks.update([outcome.detail] if outcome.detail else [])
        elif self.other_failure is None:
            self.other_failure = (outcome.mode.value, outcome.detail)

    def to_json(self) -> dict[str, Any]:
        """Return what ``--json`` prints of it."""
        return {
            "schedule": self.schedule,
            "trials": self.trials,
            "failures": self.failures,
            "failures_by_mode": dict(sorted(self.failures_by_mode.items())),
            "failures_by_defect": dict(sorted(self.by_defect.items())),
            "skipped": self.n_skipped,
            "first_failure_trial": self.first_failure_trial,
            "first_failure_schedule": self.first_failure_schedule,
            "seed": self.seed,
            "details": self.details,
            "space": self.space,
            "duration_s": self.duration_s,
            "status": self.status,
        }


def _run_one(
    test: UserTest,
    schedule: Schedule,
    seed: int,
    numbers: range,
    *,
    signature: Signature,
    report_ready: Any,
    **_: Any,
) -> Generator[Trial]:
    """Run a test once in this process, which ends with it; or survey it, for an exploration.

    Nothing of a run is left to the next: a test need not bear being run twice.
    """
    report_ready()
    number = numbers.start
    trial_seed = f"{seed}/{number}"
    with schedule.open(test.user_files) as pace:
        explorer = pace if isinstance(pace, Explorer) else None
        if explorer is not None and explorer.space is None:
            survey = explorer.survey
            test.run(lambda _: survey(), "")
            explorer.open_space(trial_seed)
            return
        outcome = test.run(None if schedule == find_schedule(NATURAL) else pace, trial_seed)
        if outcome.mode is FailureMode.HANG and explorer and explorer.put_back():
            return
        has_signature = signature.matches(outcome)
        exploration = explorer.note(has_signature) if explorer else None
        yield Trial(number, "fresh", test.n_threads, outcome, has_signature, exploration)


@dataclass(frozen=True, kw_only=True)
class _NamingADefect(Signature):
    """Failures whose error names a defect."""

    modes: frozenset[FailureMode] = frozenset()

    def matches(self, outcome: Outcome) -> bool:
        return name_defect(outcome) is not None


def run_schedules(test: UserTest, plan: TrialPlan, explored: set[str]) -> list[TestBatch]:
    """Run a test under each schedule, first under none.

    One that fails each time when nothing is paced is run no further, unless its error names a
    defect. A test that shows a defect is explored only if no other was that shows the same, which
    `explored` has.
    """
    if plan.replay is not None:
        return [_run(test, EXPLORE, plan, ANY_FAILURE)]
    natural = _run(test, NATURAL, plan, ANY_FAILURE)
    if natural.n_skipped == natural.trials or natural.n_other == natural.trials:
        return [natural]
    batches = [natural, *(_run(test, name, plan, ANY_FAILURE) for name in ("delay", "handoff"))]
    named = {defect for batch in batches for defect in batch.by_defect}
    if plan.max_schedules and not (named and named <= explored):
        explored |= named
        # What fails by itself now and then does so here, too.
        sought = _NamingADefect() if natural.n_other or named else ANY_FAILURE
        batches.append(_run(test, EXPLORE, plan, sought))
    return batches


def _run(test: UserTest, name: str, plan: TrialPlan, sought: Signature) -> TestBatch:
    schedule = find_schedule(name)
    if isinstance(schedule, Explore):
        schedule = Explore(
            limit_s=plan.find_limit_s(1),
            replay=plan.replay,
            max_idle_s=min(10.0, plan.timeout_s / 3),
        )
    batch = TestBatch(
        defect="",
        workload=test.name,
        role="user-test",
        schedule=name,
        target=Target.SIMULATOR.value,
        seed=plan.seed,
    )
    run = functools.partial(
        run_batch,
        lambda: test,
        schedule,
        batch,
        isolation=Isolation(trial_timeout_s=plan.timeout_s, max_hangs=_N_FIRST_TRIALS),
        signature=sought,
        iterate=_run_one,
    )
    try:
        if name == EXPLORE:
            run(plan.max_schedules if plan.replay is None else 1)
        else:
            _run_in_time(batch, run, plan)
    except _TooSlowError:
        batch.status = f"a run took more than {plan.timeout_s:g} s and was ended"
    except HarnessError as error:
        batch.status = f"could not go on: {error}"
    return batch


def _run_in_time(batch: TestBatch, run: Any, plan: TrialPlan) -> None:
    """Run a batch one by one until it is complete, or its time is over."""
    n_trials = plan.count_trials(batch.schedule)
    limit_s, began_s = plan.find_limit_s(1), time.monotonic()
    while batch.trials < n_trials:
        run(batch.trials + 1)
        if batch.status != "complete":
            return
        if sum(batch.by_defect.values()) >= _ENOUGH_FAILURES:
            return
        is_natural = batch.schedule == NATURAL
        if is_natural and batch.trials == _N_FIRST_TRIALS == batch.n_other + batch.n_skipped:
            return
        is_late = batch.trials >= _N_FIRST_TRIALS and time.monotonic() - began_s > limit_s
        if is_late and batch.trials < n_trials:
            batch.status = f"stopped after {batch.trials} of {n_trials} runs, for time"
            return


def find_interleaving(test: UserTest, plan: TrialPlan, batch: TestBatch) -> list[Any] | None:
    """Run the schedule that failed first once more; return what each thread ran, if it failed."""
    if batch.first_failure_schedule is None:
        return None
    if batch.stretches is not None:
        return batch.stretches
    replayed = replace(plan, replay=batch.first_failure_schedule)
    (again,) = run_schedules(test, replayed, set())
    return again.stretches if again.failures else None
