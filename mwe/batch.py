"""The record of a batch: trials of one workload under one schedule, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mwe.outcomes import FailureMode
from mwe.runner import Trial

FORMAT_VERSION = 1
# Details are evidence for a person; one that recurs a thousand times says nothing more.
MAX_DETAILS = 5
# The stacks of a dozen threads.
MAX_DETAIL_CHARACTERS = 6000


@dataclass(kw_only=True)
class Batch:
    """Counts of trials that share workload, schedule, target and environment."""

    defect: str  # that the workload is for
    workload: str
    role: str
    schedule: str
    target: str
    seed: int
    trials: int = 0  # that were judged, whatever was asked for
    failures_by_mode: Counter[str] = field(default_factory=Counter)
    signature_failures: int = 0  # failing trials with the defect's signature
    refusals: int = 0  # passing trials in which upstream refused the launch
    attributes: Counter[str] = field(default_factory=Counter)
    trials_by_kernel: Counter[str] = field(default_factory=Counter)
    failures_by_kernel: Counter[str] = field(default_factory=Counter)
    leaks: int = 0  # failing trials, of whichever mode, after which a global was not the original
    # Failures whose thread should have returned early; None once one does not name its thread.
    early_return_failures: int | None = 0
    # Trials are numbered from 1; with the seed, a number fixes the schedule's decisions.
    first_failure_trial: int | None = None
    first_failure_s: float | None = None  # from the start of the first trial to that one's end
    failing_trials: list[int] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    duration_s: float = 0.0
    # Under `explore`: how much of the space was run, and which schedule failed first: the first
    # one with the signature, if any has it. The two fields above say the same of its trial.
    space: dict[str, Any] | None = None
    first_failure_schedule: str | None = None
    stretches: list[dict[str, Any]] | None = None  # of a replay: what threads ran between switches
    status: str = "complete"  # or why the batch stopped short
    packages: dict[str, str] = field(default_factory=dict)
    python: str = ""

    @property
    def failures(self) -> int:
        """Failing trials, in whichever mode."""
        return sum(self.failures_by_mode.values())

    def record(self, trial: Trial, elapsed_s: float) -> None:
        """Count one trial, which ended so many seconds after the start of the first."""
        outcome = trial.outcome
        self.trials += 1
        self.duration_s = round(elapsed_s, 6)
        self.trials_by_kernel[trial.kernel] += 1
        exploration = trial.exploration
        if exploration is not None:
            self.space = exploration.space.to_json()
            if exploration.stretches:
                self.stretches = [stretch.to_json() for stretch in exploration.stretches]
        self.refusals += outcome.refused
        if outcome.mode is None:
            return
        self.signature_failures += trial.has_signature
        self.failures_by_mode[outcome.mode.value] += 1
        self.failures_by_kernel[trial.kernel] += 1
        self.leaks += outcome.leaked
        self.failing_trials.append(trial.number)
        if outcome.attribute is not None:
            self.attributes[outcome.attribute] += 1
        if outcome.thread_index is None:
            if outcome.mode in (FailureMode.MISSING_ATTRIBUTE, FailureMode.EXCEPTION):
                self.early_return_failures = None
        elif self.early_return_failures is not None:
            self.early_return_failures += outcome.thread_index >= trial.n_threads
        detail = outcome.detail[:MAX_DETAIL_CHARACTERS]
        if detail not in self.details and len(self.details) < MAX_DETAILS:
            self.details.append(detail)
        is_first_sought = exploration and trial.has_signature and self.signature_failures == 1
        if self.first_failure_trial is None or is_first_sought:
            self.first_failure_trial = trial.number
            self.first_failure_s = self.duration_s
            self.first_failure_schedule = exploration.schedule if exploration else None

    def resume(self, printed: Mapping[str, Any]) -> None:
        """Take over what an earlier batch of the same workload, schedule and seed counted.

        Who and what it was is not looked at. KeyError, TypeError and ValueError mean that what was
        printed is no record of a batch.
        """
        for name in _COUNTS:
            convert = type(getattr(self, name))
            setattr(self, name, convert(printed[name]))
        for name in ("early_return_failures", "first_failure_trial", "first_failure_s"):
            setattr(self, name, printed[name])

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints: the fields, and the sum of the failures."""
        printed = {
            name: dict(sorted(value.items())) if isinstance(value, Counter) else value
            for name, value in vars(self).items()
        }
        for name in ("space", "first_failure_schedule", "stretches"):
            if self.schedule != "explore" or (name == "stretches" and not self.stretches):
                del printed[name]
        return {"version": FORMAT_VERSION, **printed, "failures": self.failures}


# The fields that an earlier batch hands on, of types that can be made from JSON.
_COUNTS = (
    "seed",
    "trials",
    "failures_by_mode",
    "signature_failures",
    "refusals",
    "attributes",
    "trials_by_kernel",
    "failures_by_kernel",
    "leaks",
    "failing_trials",
    "details",
    "duration_s",
)
