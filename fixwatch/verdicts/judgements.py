"""The rules from counts to the verdict of a batch, and from those to that of a revision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from fixwatch.records.evidence import BatchEvidence
from fixwatch.statistics.binomial import (
    Counts,
    chance_of_artefact,
    upper_bound,
)
from fixwatch.statistics.noisy_counts import TrialKind, predict_silence
from fixwatch.verdicts.explorations import (
    count_failures,
    describe_exploration,
    find_defect_in_the_way,
    find_printed,
    is_exhausted,
)
from fixwatch.verdicts.targets import CUDA, SIMULATOR, find_trial_kind

# A silent batch counts as "not observed" only if an affected revision would have stayed silent in
# at most this share of such batches.
MAX_CHANCE_OF_MISS = 0.01
# Upstream refuses a launch if it did in at least this share of a batch's trials: now and then two
# launches do not meet, and nothing is to be refused.
MIN_SHARE_REFUSED = 0.9


class Verdict(str, Enum):
    """What a measurement says of a revision, the one that says most first."""

    OBSERVED = "observed"
    NOT_OBSERVED = "not-observed"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not-run"

    @property
    def is_decided(self) -> bool:
        """Whether it says that a revision is affected, or that it is not."""
        return self in (Verdict.OBSERVED, Verdict.NOT_OBSERVED)


# Which of several verdicts on the same revision speaks for it.
SAYS_MOST_FIRST = tuple(Verdict)


@dataclass(frozen=True)
class Judgement:
    """A verdict with its confidence, in [0, 1] or None, and what limits it."""

    verdict: Verdict
    confidence: float | None = None
    reason: str | None = None


def count_batch(batch: BatchEvidence) -> Counts | None:
    """Return a batch's failures, of whichever mode, and trials; None where it has no trial.

    None as well of an exploration: its trials are different schedules, which share no rate.
    """
    printed = find_printed(batch)
    return (
        Counts(printed.failures, printed.trials) if printed and not batch.is_exploration else None
    )


def count_experiments(batch: BatchEvidence) -> Counts | None:
    """Return how often a batch showed what is looked for; None where it says nothing.

    In a batch of repetitions each trial is an experiment; failures of another kind say nothing. An
    exploration is one experiment, which failed or, with its whole space run, did not.
    """
    printed, n_shown = find_printed(batch), count_shown(batch)
    if printed is None or (printed.failures and not n_shown):
        return None
    if not batch.is_exploration:
        return Counts(n_shown, printed.trials)
    return Counts(int(n_shown > 0), 1) if n_shown or is_exhausted(batch) else None


def count_shown(batch: BatchEvidence) -> int:
    """Return how many trials of a batch showed what is looked for.

    In the simulator that is the defect, by its signature. On a device the defects of the simulator
    do not exist; there correct code must not fail in any way, as negative controls anywhere.
    """
    return batch.printed.signature_failures if batch.printed else 0


def is_refused(batch: BatchEvidence) -> bool:
    """Whether upstream refuses a batch's launches, and no trial failed."""
    printed = find_printed(batch)
    if printed is None or printed.failures:
        return False
    return printed.refusals >= MIN_SHARE_REFUSED * printed.trials


def judge_batch(
    target: str,
    batch: BatchEvidence,
    affected: Collection[Counts],
    negative_control: Counts | None,
) -> Judgement:
    """Judge a batch by itself, as if its controls passed.

    Its silence is measured by batches of the same kind in which the race was observed, one for each
    affected revision; its failures by what the negative controls of the same run found, pooled. An
    exploration needs neither: its failure can be replayed, and its whole space leaves nothing to
    chance. So it has no confidence. Nor has what a compiler made of a kernel: it is the same each
    time, and judged whole. A launch that upstream refuses, and says so, is a documented limit: it
    hands nobody a wrong result. Where only some were refused, the others are judged as any silence
    is.
    """
    printed = find_printed(batch)
    if printed is None:
        stage = f"{batch.stage}: " if batch.stage else ""
        return Judgement(Verdict.NOT_RUN, reason=f"{stage}{batch.reason or 'no trial was run'}")
    if batch.is_exploration and not count_failures(batch):
        if is_exhausted(batch):
            return Judgement(Verdict.NOT_OBSERVED)
        return Judgement(Verdict.INCONCLUSIVE, reason=describe_exploration(batch))
    kind = find_trial_kind(target, batch.schedule)
    modes = sorted(printed.failures_by_mode.items())
    listed = ", ".join(f"{count} {mode}" for mode, count in modes)
    if n_shown := count_shown(batch):
        shown = Counts(n_shown, printed.trials)
        confidence = (
            1 - chance_of_artefact(shown, negative_control)
            if kind is TrialKind.SAMPLED and negative_control is not None
            else None
        )
        reason = f"on a device: {listed}" if target == CUDA else None
        judgement = Judgement(Verdict.OBSERVED, confidence, reason)
    elif (other := find_defect_in_the_way(batch)) and is_exhausted(batch):
        reason = f"{printed.failures} of its schedules met {other}, the others passed"
        judgement = Judgement(Verdict.NOT_OBSERVED, reason=reason)
    elif printed.failures:
        judgement = Judgement(
            Verdict.INCONCLUSIVE,
            reason=f"failures, but none with the signature of {batch.defect}: {listed}",
        )
    elif is_refused(batch):
        refused = f"{printed.refusals} of {printed.trials} launches were refused, with an error"
        judgement = Judgement(Verdict.NOT_OBSERVED, reason=f"{refused} that says so")
    elif kind is TrialKind.DECISIVE:
        judgement = Judgement(Verdict.NOT_OBSERVED)
    elif target == SIMULATOR:
        judgement = _judge_silence(printed.trials - printed.refusals, affected)
    else:
        judgement = _judge_silence_on_device(Counts(0, printed.trials - printed.refusals))
    if printed.status != "complete":
        return replace(judgement, reason=printed.status)
    return judgement


def _judge_silence(n_trials: int, affected: Collection[Counts]) -> Judgement:
    if not affected:
        return Judgement(
            Verdict.INCONCLUSIVE,
            reason=f"0 of {n_trials} failed, but no affected revision was measured this "
            "way, so nothing says that one would have failed",
        )
    chance_of_miss = predict_silence(n_trials, frozenset(Counter(affected).items()))
    if chance_of_miss > MAX_CHANCE_OF_MISS:
        return Judgement(
            Verdict.INCONCLUSIVE,
            reason=f"0 of {n_trials} failed, but so would an affected revision with a "
            f"chance of {chance_of_miss:.2g}",
        )
    return Judgement(Verdict.NOT_OBSERVED, 1 - chance_of_miss)


def _judge_silence_on_device(counts: Counts) -> Judgement:
    """Judge silence by the rate that it excludes, and without a confidence.

    No fault is known on a device whose rate it could be measured by.
    """
    bound = f"fewer than {100 * upper_bound(counts):.2g} % do (95 %)"
    return Judgement(Verdict.NOT_OBSERVED, reason=f"0 of {counts.n_trials} failed: {bound}")


def combine_verdicts(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict of a revision from those of the schedules that its verdict rests on.

    One observation decides. Silence decides only if every schedule was silent and would have
    shown the race: one shows what another misses, and one that did not run says nothing.
    """
    if Verdict.OBSERVED in verdicts:
        return Verdict.OBSERVED
    if all(verdict is Verdict.NOT_RUN for verdict in verdicts):
        return Verdict.NOT_RUN
    if all(verdict is Verdict.NOT_OBSERVED for verdict in verdicts):
        return Verdict.NOT_OBSERVED
    return Verdict.INCONCLUSIVE


def combine_judgements(judgements: Sequence[Judgement]) -> Judgement:
    """Return the judgement of a revision from those of the schedules that its verdict rests on.

    Its confidence is that of the surest schedule with this verdict.
    """
    verdict = combine_verdicts([judgement.verdict for judgement in judgements])
    sure = [
        judgement.confidence
        for judgement in judgements
        if judgement.verdict is verdict and judgement.confidence is not None
    ]
    return Judgement(verdict, max(sure, default=None))
