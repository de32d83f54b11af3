"""Targets in the reports: what counts as the fault that is looked for, and how they are named."""

from __future__ import annotations

from collections.abc import Mapping

from fixwatch.records.evidence import BatchEvidence, Evidence
from fixwatch.statistics.binomial import Counts, chance_of_artefact, upper_bound
from fixwatch.verdicts.judgements import RACE_MODES, Judgement, Verdict

SIMULATOR = "simulator"
CUDA = "cuda"


def name_place(upstream: str, target: str) -> str:
    """Return an upstream as it is named where both targets are shown."""
    return upstream if target == SIMULATOR else f"{upstream} on a device"


def count_shown(record: Evidence, batch: BatchEvidence) -> int:
    """Return how many trials of a batch showed what its target is measured for.

    In the simulator that is the race, by its signature. On a device the race does not exist; there
    correct code must not fail in any way.
    """
    modes = batch.printed.failures_by_mode if batch.printed else {}
    if record.target == SIMULATOR:
        return sum(modes.get(mode, 0) for mode in RACE_MODES)
    return sum(modes.values())


def judge_on_device(
    counts: Counts, failures_by_mode: Mapping[str, int], negative_control: Counts | None
) -> Judgement:
    """Judge a batch that ran on a device.

    No fault is known there whose rate a silent batch could be measured by; silence is stated with
    the rate that it excludes, and without a confidence.
    """
    if not counts.n_failures:
        return Judgement(
            Verdict.NOT_OBSERVED,
            reason=f"0 of {counts.n_trials} failed: fewer than "
            f"{100 * upper_bound(counts):.2g} % do (95 %)",
        )
    modes = ", ".join(f"{count} {mode}" for mode, count in sorted(failures_by_mode.items()))
    confidence = None
    if negative_control is not None:
        confidence = 1 - chance_of_artefact(counts, negative_control)
    return Judgement(Verdict.OBSERVED, confidence, reason=f"on a device: {modes}")
