"""What a test's failures are, given what becomes of them where a defect is repaired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from fixwatch.commands.mine.runs import EXPLORE, ScheduleRun, TestRun

SHIELD = "shield"
RELEASE = "release"
# That failures as frequent as those seen all stayed out.
MAX_CHANCE = 0.01


class MineVerdict(str, Enum):
    """What a test meets."""

    DEFECT = "defect"
    FAILS_OTHERWISE = "fails-otherwise"
    NOT_SHOWN = "not-shown"
    NOT_RUN = "not-run"


@dataclass(frozen=True)
class Counterfactual:
    """An environment in which some defects are repaired, and what was run there."""

    kind: str  # SHIELD or RELEASE
    title: str  # as in "0 of 20 runs with the shield"
    free_of: tuple[str, ...]  # defects that are repaired there
    tests: Mapping[str, TestRun]  # that were run there, by name
    reason: str = ""  # why nothing could be run there
    changed: tuple[str, ...] = ()  # packages that differ beside the release


@dataclass(frozen=True)
class Finding:
    """The verdict on a test, and what it rests on."""

    test: TestRun
    verdict: MineVerdict
    defect: str | None
    text: str


def find(
    test: TestRun,
    counterfactuals: Sequence[Counterfactual],
    repaired_alone: Mapping[str, TestRun] = {},
) -> Finding:
    """Say what a test meets.

    An error that names a defect is that defect's, unless it is there as well where the defect is
    repaired. Other failures are a defect's if they end with its repair: `repaired_alone` has what
    the test showed where the shield repaired a single defect, by that.
    """
    if test.verdict == "defect" and test.defect is not None:
        return _find_named(test, test.defect, counterfactuals)
    if test.verdict != "fails-otherwise":
        return Finding(test, MineVerdict(test.verdict), None, test.answer)
    if ended := [name for name, run in repaired_alone.items() if has_ended(test, run)]:
        return _find_by_repair(test, ended, repaired_alone, counterfactuals)
    text = test.answer
    compared = [
        describe_counts(found.tests[test.test], found.title)
        for found in counterfactuals
        if test.test in found.tests
    ]
    if compared:
        text += f"; {', '.join(compared)}"
    return Finding(test, MineVerdict.FAILS_OTHERWISE, None, text)


def _find_named(test: TestRun, defect: str, counterfactuals: Sequence[Counterfactual]) -> Finding:
    here = f"its error in {_list_counts(test, defect)}"
    there, remains = [], []
    for found in counterfactuals:
        run = found.tests.get(test.test)
        if run is None or defect not in found.free_of or not _says_something(run, defect):
            continue
        there.append(f"{count_named(run, defect)} runs {found.title}")
        if sum_named(run, defect):
            remains.append(found.title)
    if remains:
        text = (
            f"fails otherwise: {here} looks like {defect}, and is there as well where that is "
            f"repaired: {', '.join(there)}"
        )
        return Finding(test, MineVerdict.FAILS_OTHERWISE, None, text)
    if not there:
        text = f"this looks like {defect}: {here}; there is nothing to compare with"
        return Finding(test, MineVerdict.DEFECT, defect, text)
    text = f"this is {defect}: {here}, {', '.join(there)} ({describe_first(test, defect)})"
    return Finding(test, MineVerdict.DEFECT, defect, text)


def _find_by_repair(
    test: TestRun,
    ended: Sequence[str],
    repaired_alone: Mapping[str, TestRun],
    counterfactuals: Sequence[Counterfactual],
) -> Finding:
    here = describe_counts(test, "here")
    there = [
        describe_counts(repaired_alone[name], f"when the shield repairs {name} alone")
        for name in ended
    ]
    there += [
        describe_counts(found.tests[test.test], found.title)
        for found in counterfactuals
        if test.test in found.tests and found.kind == RELEASE
    ]
    if untold := [name for name in test.suspects if name not in repaired_alone]:
        text = (
            f"fails otherwise, or not shown which defect it is: {here}; {', '.join(there)}; "
            f"it could not be run with the repair of {', '.join(untold)} alone"
        )
        return Finding(test, MineVerdict.FAILS_OTHERWISE, None, text)
    if len(ended) > 1:
        # Any of them changes when threads run; that all end it says that none need be at fault.
        text = f"fails otherwise, or not often enough to tell: {here}; {', '.join(there)}"
        return Finding(test, MineVerdict.FAILS_OTHERWISE, None, text)
    text = f"this is {ended[0]}: {here}, {', '.join(there)}; its failures name no defect"
    return Finding(test, MineVerdict.DEFECT, ended[0], text)


def _says_something(run: TestRun, defect: str) -> bool:
    """Whether a run could have shown a defect: one that was not made, or broke, says nothing."""
    was_run = any(schedule.trials > schedule.skipped for schedule in run.schedules)
    return was_run and (bool(sum_named(run, defect)) or not run.fails_by_itself)


def has_ended(here: TestRun, there: TestRun) -> bool:
    """Whether a test's failures have ended elsewhere, beyond chance.

    Nothing failed there, and that had a chance of at most `MAX_CHANCE` if the failures were as
    frequent as here: with k of n failing here, ``(1 - k/n) ** m`` for m runs under that schedule.
    What `explore` showed here has ended where it ran at least as many schedules.
    """
    if any(schedule.failures for schedule in there.schedules):
        return False
    chance = 1.0
    for own in here.schedules:
        other = find_run(there, own.schedule)
        if not own.failures or other is None:
            continue
        n_trials = other.trials - other.skipped
        if own.schedule != EXPLORE:
            chance *= (1 - own.failures / own.trials) ** n_trials
        elif n_trials >= own.trials:
            chance = 0.0
    return chance <= MAX_CHANCE


def sum_named(run: TestRun, defect: str) -> int:
    """Return the failures whose error names a defect, under all schedules."""
    return sum(schedule.failures_by_defect.get(defect, 0) for schedule in run.schedules)


def count_named(run: TestRun, defect: str) -> str:
    """Return them as ``k of n``, of all that were run."""
    return f"{sum_named(run, defect)} of {sum(schedule.trials for schedule in run.schedules)}"


def _list_counts(run: TestRun, defect: str) -> str:
    """Return them for each schedule that shows some."""
    return ", ".join(
        f"{found} of {schedule.trials} runs under {schedule.schedule}"
        for schedule in run.schedules
        if (found := schedule.failures_by_defect.get(defect))
    )


def describe_counts(run: TestRun, where: str) -> str:
    """Return the failures as ``k of n``, and where that was."""
    n_failures = sum(schedule.failures for schedule in run.schedules)
    return (
        f"{n_failures} of {sum(schedule.trials for schedule in run.schedules)} runs failed {where}"
    )


def describe_first(run: TestRun, defect: str) -> str:
    """Say with which seed or schedule a defect's error was seen first."""
    first = next(found for found in run.schedules if found.failures_by_defect.get(defect))
    if first.schedule == EXPLORE:
        return f"first with schedule {first.first_failure_schedule}"
    return f"first under {first.schedule}, run {first.first_failure_trial}, seed {first.seed}"


def find_run(run: TestRun, schedule: str) -> ScheduleRun | None:
    """Return the runs under a schedule."""
    return next((found for found in run.schedules if found.schedule == schedule), None)
