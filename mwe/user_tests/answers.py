"""What the runs of a test under the schedules amount to, before there is anything to compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from mwe.outcomes import FailureMode
from mwe.schedules.explore.space import describe_space
from mwe.user_tests.diagnosis import SILENT_DEFECTS, describe_failure
from mwe.user_tests.trials import EXPLORE, NATURAL, TestBatch


class Verdict(str, Enum):
    """What a test showed."""

    DEFECT = "defect"  # an error that names it was seen
    FAILS_OTHERWISE = "fails-otherwise"
    NOT_SHOWN = "not-shown"
    NOT_RUN = "not-run"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The verdict on a test, in a sentence too."""

    verdict: Verdict
    defect: str | None  # that the errors name
    suspects: tuple[str, ...]  # defects that show in the same way as its failures
    fails_by_itself: bool  # whether it failed each time when nothing was paced
    text: str


def answer(batches: Sequence[TestBatch]) -> Answer:
    """Say what the batches of a test show, `natural` first."""
    by_defect: Counter[str] = Counter()
    for batch in batches:
        by_defect += batch.by_defect
    if by_defect:
        return _answer_defect(batches, by_defect)
    natural = batches[0] if batches[0].schedule == NATURAL else None
    if natural and natural.trials and natural.n_skipped == natural.trials:
        text = next(iter(natural.remarks))
        return _say(Verdict.NOT_RUN, f"not run: {text}")
    if not any(batch.trials for batch in batches):
        return _say(Verdict.NOT_RUN, f"not run: {batches[0].status}")
    failing = [batch for batch in batches if batch.failures]
    if failing:
        return _answer_failures(failing, natural)
    return _say(Verdict.NOT_SHOWN, f"not shown: {_describe_silence(batches)}")


def _say(verdict: Verdict, text: str) -> Answer:
    return Answer(verdict=verdict, defect=None, suspects=(), fails_by_itself=False, text=text)


def _answer_defect(batches: Sequence[TestBatch], by_defect: Counter[str]) -> Answer:
    ((defect, _),) = by_defect.most_common(1)
    showing = [batch for batch in batches if batch.by_defect[defect]]
    counts = ", ".join(
        f"{batch.by_defect[defect]} of {batch.trials} under {batch.schedule}" for batch in showing
    )
    first = showing[0]
    where = (
        f"schedule {first.first_failure_schedule}"
        if first.first_failure_schedule
        else f"run {first.first_failure_trial}, seed {first.seed}"
    )
    text = f"the error of {defect} was seen: {counts} (first with {first.schedule}, {where})"
    if rest := sorted(set(by_defect) - {defect}):
        text += f"; that of {', '.join(rest)} too"
    return Answer(
        verdict=Verdict.DEFECT, defect=defect, suspects=(), fails_by_itself=False, text=text
    )


def _answer_failures(failing: Sequence[TestBatch], natural: TestBatch | None) -> Answer:
    batch = failing[0]
    mode, detail = batch.other_failure or ("", "")
    counts = ", ".join(f"{found.failures} of {found.trials} {_name(found)}" for found in failing)
    text = f"fails otherwise: {describe_failure(mode, detail)} ({counts}"
    by_itself = natural is not None and natural.failures == natural.trials
    if natural is not None and not natural.failures:
        text += f"; 0 of {natural.trials} {_name(natural)}"
    is_wrong = mode == FailureMode.WRONG_RESULT.value
    is_odd = mode == FailureMode.EXCEPTION.value and not by_itself
    return Answer(
        verdict=Verdict.FAILS_OTHERWISE,
        defect=None,
        suspects=SILENT_DEFECTS if is_wrong or is_odd else (),
        fails_by_itself=by_itself,
        text=text + ")",
    )


def _name(batch: TestBatch) -> str:
    return "when nothing is paced" if batch.schedule == NATURAL else f"under {batch.schedule}"


def _describe_silence(batches: Sequence[TestBatch]) -> str:
    """Say what was run without a failure, and how much of the space of schedules."""
    counts = [
        f"0 of {batch.trials} {_name(batch)}" for batch in batches if batch.schedule != EXPLORE
    ]
    said = ", ".join(counts)
    for batch in batches:
        if batch.schedule == EXPLORE:
            said += f"; {describe_exploration(batch)}"
        if batch.status != "complete":
            said += f"; under {batch.schedule} {batch.status}"
    if remarks := sorted({remark for batch in batches for remark in batch.remarks}):
        said += f"; {', '.join(remarks)}"
    return said


def describe_exploration(batch: TestBatch) -> str:
    """Say how much of the space of schedules was run."""
    if batch.space is None:
        return "no schedule was explored"
    if not batch.space["schedules"]:
        return "it starts no threads, so there is nothing to switch among"
    if batch.space["exhausted"]:
        return f"the whole space: {describe_space(batch.space)}"
    return f"part of the space: {describe_space(batch.space)}"
