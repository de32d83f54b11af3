"""The record of a batch: trials of one workload under one schedule, counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mwe.outcomes import FailureMode, Outcome

FORMAT_VERSION = 1
# Details are evidence for a person; one that recurs a thousand times says nothing more.
MAX_DETAILS = 5
# The stacks of a dozen threads.
MAX_DETAIL_CHARACTERS = 6000


@dataclass(kw_only=True)
class Batch:
    """Counts of trials that share workload, schedule, target and environment.

    Attributes
    ----------
    trials
        Trials that were judged, whatever was asked for.
    n_leaks
        Failing trials, of whichever mode, after which a global was not the original.
    n_unattributed
        Failures whose message did not name the thread; while there are any, the number of
        early-return failures is unknown.
    first_failure_trial
        1-based number of the first failing trial.
    first_failure_s
        Seconds from the start of the first trial to the end of the first failing one.
    failing_trials
        1-based numbers of all failing trials; with the seed, each one's decisions.
    status
        ``complete``, or why the batch stopped short.
    """

    workload: str
    role: str
    schedule: str
    target: str
    seed: int
    trials: int = 0
    failures_by_mode: Counter[str] = field(default_factory=Counter)
    attributes: Counter[str] = field(default_factory=Counter)
    trials_by_kernel: Counter[str] = field(default_factory=Counter)
    failures_by_kernel: Counter[str] = field(default_factory=Counter)
    n_leaks: int = 0
    n_early_return: int = 0
    n_unattributed: int = 0
    first_failure_trial: int | None = None
    first_failure_s: float | None = None
    failing_trials: list[int] = field(default_factory=list)
    details: list[str] = field(default_factory=list)
    duration_s: float = 0.0
    status: str = "complete"
    packages: dict[str, str] = field(default_factory=dict)
    python: str = ""

    @property
    def failures(self) -> int:
        """Failing trials, in whichever mode."""
        return sum(self.failures_by_mode.values())

    @property
    def early_return_failures(self) -> int | None:
        """Failures whose thread should have returned early; None if one is of an unknown thread."""
        return None if self.n_unattributed else self.n_early_return

    def record(
        self, outcome: Outcome, *, number: int, kernel: str, n_threads: int, elapsed_s: float
    ) -> None:
        """Count one trial.

        Parameters
        ----------
        outcome
            What the trial showed.
        number
            The trial's place in the batch, from 1.
        kernel
            ``fresh`` or ``reused``: whether the kernel was built for this trial.
        n_threads
            Active threads of the launch.
        elapsed_s
            Seconds since the start of the first trial.
        """
        self.trials += 1
        self.duration_s = elapsed_s
        self.trials_by_kernel[kernel] += 1
        if outcome.mode is None:
            return
        self.failures_by_mode[outcome.mode.value] += 1
        self.failures_by_kernel[kernel] += 1
        self.n_leaks += outcome.leaked
        self.failing_trials.append(number)
        if outcome.attribute is not None:
            self.attributes[outcome.attribute] += 1
        if outcome.thread_index is not None:
            self.n_early_return += outcome.thread_index >= n_threads
        elif outcome.mode in (FailureMode.MISSING_ATTRIBUTE, FailureMode.EXCEPTION):
            self.n_unattributed += 1
        detail = outcome.detail[:MAX_DETAIL_CHARACTERS]
        if detail not in self.details and len(self.details) < MAX_DETAILS:
            self.details.append(detail)
        if self.first_failure_trial is None:
            self.first_failure_trial = number
            self.first_failure_s = round(elapsed_s, 6)

    def resume(self, printed: Mapping[str, Any]) -> None:
        """Take over what an earlier batch of the same workload, schedule and seed counted.

        Parameters
        ----------
        printed
            What `to_json` returned for it; who and what it was is not looked at.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is no record of a batch.
        """
        self.seed = int(printed["seed"])
        self.trials = int(printed["trials"])
        self.failures_by_mode = Counter(printed["failures_by_mode"])
        self.attributes = Counter(printed["attributes"])
        self.trials_by_kernel = Counter(printed["trials_by_kernel"])
        self.failures_by_kernel = Counter(printed["failures_by_kernel"])
        self.n_leaks = int(printed["leaks"])
        # Of how many failures the thread is unknown is not printed, only whether of any.
        early = printed["early_return_failures"]
        self.n_early_return, self.n_unattributed = (0, 1) if early is None else (int(early), 0)
        self.first_failure_trial = printed["first_failure_trial"]
        self.first_failure_s = printed["first_failure_s"]
        self.failing_trials = list(printed["failing_trials"])
        self.details = list(printed["details"])
        self.duration_s = float(printed["duration_s"])

    def to_json(self) -> dict[str, Any]:
        """Return the object that ``--json`` prints, format version 1."""
        return {
            "version": FORMAT_VERSION,
            "workload": self.workload,
            "role": self.role,
            "schedule": self.schedule,
            "target": self.target,
            "trials": self.trials,
            "failures": self.failures,
            "failures_by_mode": dict(sorted(self.failures_by_mode.items())),
            "early_return_failures": self.early_return_failures,
            "first_failure_trial": self.first_failure_trial,
            "first_failure_s": self.first_failure_s,
            "duration_s": round(self.duration_s, 6),
            "seed": self.seed,
            "attributes": dict(sorted(self.attributes.items())),
            "trials_by_kernel": dict(sorted(self.trials_by_kernel.items())),
            "failures_by_kernel": dict(sorted(self.failures_by_kernel.items())),
            "leaks": self.n_leaks,
            "failing_trials": self.failing_trials,
            "details": self.details,
            "status": self.status,
            "packages": self.packages,
            "python": self.python,
        }
