"""From counts to the verdict of a measurement, and of a revision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from fixwatch.statistics.binomial import Counts, chance_of_artefact, chance_of_silence

# A silent batch counts as "not observed" only if an affected revision would have stayed silent in
# at most this share of such batches.
MAX_CHANCE_OF_MISS = 0.01

# The failure modes that are the race and nothing else.
RACE_MODES = frozenset({"missing-attribute", "leaked-global"})


class Verdict(str, Enum):
    """What a measurement says of a revision."""

    OBSERVED = "observed"
    NOT_OBSERVED = "not-observed"
    INCONCLUSIVE = "inconclusive"
    NOT_RUN = "not-run"


@dataclass(frozen=True)
class Judgement:
    """A verdict with its confidence, in [0, 1] or None, and what limits it."""

    verdict: Verdict
    confidence: float | None = None
    reason: str | None = None


def judge_batch(
    counts: Counts,
    failures_by_mode: Mapping[str, int],
    affected: Sequence[Counts],
    negative_control: Counts | None,
) -> Judgement:
    """Judge one batch.

    Parameters
    ----------
    counts, failures_by_mode
        What the batch found.
    affected
        Batches of the same kind in which the race was observed, one for each revision; the one
        with the rate hardest to see decides.
    negative_control
        What the negative controls of the same run found, pooled.
    """
    n_race = sum(failures_by_mode.get(mode, 0) for mode in RACE_MODES)
    if n_race:
        if negative_control is None:
            return Judgement(Verdict.OBSERVED)
        race = Counts(n_race, counts.n_trials)
        return Judgement(Verdict.OBSERVED, 1 - chance_of_artefact(race, negative_control))
    if counts.n_failures:
        modes = ", ".join(f"{count} {mode}" for mode, count in sorted(failures_by_mode.items()))
        return Judgement(
            Verdict.INCONCLUSIVE, reason=f"failures, but none with the race's signature: {modes}"
        )
    if not affected:
        return Judgement(
            Verdict.INCONCLUSIVE,
            reason=f"0 of {counts.n_trials} failed, but no affected revision was measured this "
            "way, so nothing says that one would have failed",
        )
    chance_of_miss = max(chance_of_silence(counts.n_trials, other) for other in affected)
    if chance_of_miss > MAX_CHANCE_OF_MISS:
        return Judgement(
            Verdict.INCONCLUSIVE,
            reason=f"0 of {counts.n_trials} failed, but so would an affected revision with a "
            f"chance of {chance_of_miss:.2g}",
        )
    return Judgement(Verdict.NOT_OBSERVED, 1 - chance_of_miss)


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
    verdict = combine_verdicts([each.verdict for each in judgements])
    sure = [
        each.confidence
        for each in judgements
        if each.verdict is verdict and each.confidence is not None
    ]
    return Judgement(verdict, max(sure, default=None))
