"""What is run of each test."""

from __future__ import annotations

from dataclasses import dataclass

from mwe.errors import BadArgumentError
from mwe.schedules.explore.plans import parse_plan

# An exploration's bounds and its time limit end it long before.
_MAX_SCHEDULES = 10**9
# For all explorations together, and for one, where nothing else is asked for.
_SESSION_LIMIT_S = 60.0
_MIN_LIMIT_S = 2.0
_MIN_TRIALS = 2


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """How often a test is run under each schedule, and for how long at most."""

    n_trials: int = 20  # under `delay`; under `natural` and `handoff` a quarter, at least 2
    seed: int = 0
    limit_s: float | None = None  # of one schedule of a test; nothing is begun later
    timeout_s: float = 30.0  # of one run of a test
    max_schedules: int = _MAX_SCHEDULES  # of `explore`, which 0 leaves out
    replay: str | None = None  # the one schedule to run, and no other

    def __post_init__(self) -> None:
        if self.n_trials < 1:
            raise BadArgumentError(f"--trials is {self.n_trials}; give at least 1")
        if not (self.find_limit_s(1) > 0 and self.timeout_s > 0):
            raise BadArgumentError("--limit and --timeout are seconds; give more than 0")
        if self.replay is not None:
            parse_plan(self.replay)

    def find_limit_s(self, n_tests: int) -> float:
        """Return the limit of one schedule of a test; the default is less the more tests are."""
        if self.limit_s is not None:
            return self.limit_s
        return max(_MIN_LIMIT_S, _SESSION_LIMIT_S / max(n_tests, 1))

    def count_trials(self, schedule: str) -> int:
        """Return how often a test is run under a schedule."""
        return self.n_trials if schedule == "delay" else max(_MIN_TRIALS, self.n_trials // 4)
