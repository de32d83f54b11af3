"""The batch plan: how many trials of which workload under which schedule make a measurement."""

from __future__ import annotations

from mwe.workloads.subject import Role

# Under `delay` an affected revision fails in more than 9 of 10 trials, so 100 leave no doubt and
# give the rate to within 6 points; a control needs fewer, as it only has to be told from that
# rate. Under `natural` failures are rarer than 1 in 5,000: its trials are a record, not a test.
_TRIALS: dict[tuple[str, Role], int] = {
    ("delay", Role.WORKLOAD): 100,
    ("delay", Role.POSITIVE_CONTROL): 50,
    ("delay", Role.NEGATIVE_CONTROL): 50,
    ("natural", Role.WORKLOAD): 100,
}


def find_planned_trials(role: Role, schedule: str) -> int | None:
    """Return how many trials a batch has; None where the combination is not planned."""
    return _TRIALS.get((schedule, role))
