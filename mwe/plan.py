"""The batch plan: how many trials of which workload under which schedule make a measurement.

docs/method.md has the arithmetic, `make sensitivity` the rates that it rests on.
"""

from __future__ import annotations

from mwe.workloads import DEFAULT_WORKLOAD, Workload
from mwe.workloads.subject import Role

# `handoff` shows the shipped race in each trial: 20 leave no doubt. `delay` shows it in 49 of 50
# trials, and wrong fixes that no single interleaving shows in 1 of 3 at the least: 100 miss one
# with less than 1e-9. A control needs fewer, as it only has to be told from those rates. Under
# `natural` failures are rarer than 1 in 5,000: its trials are a record, not a test.
_TRIALS: dict[tuple[str, Role], int] = {
    ("handoff", Role.WORKLOAD): 20,
    ("handoff", Role.POSITIVE_CONTROL): 20,
    ("handoff", Role.NEGATIVE_CONTROL): 20,
    ("delay", Role.WORKLOAD): 100,
    ("delay", Role.POSITIVE_CONTROL): 50,
    ("delay", Role.NEGATIVE_CONTROL): 50,
    ("natural", Role.WORKLOAD): 100,
}
# The other workloads say which ways of allocating are hit. They fail in half of the trials at the
# least, so 50 pass with less than 1e-14; wrong fixes are for the default workload to find.
_OTHER_TRIALS = {"handoff": 20, "delay": 50}


# Silence under it says nothing, so no verdict rests on it.
_RECORD_ONLY = frozenset({"natural"})


def decides(schedule: str) -> bool:
    """Whether a revision has to be silent under a schedule to count as not affected."""
    return schedule not in _RECORD_ONLY


def find_planned_trials(workload: Workload, schedule: str) -> int | None:
    """Return how many trials a batch has; None where the combination is not planned."""
    if workload.role is Role.WORKLOAD and workload.name != DEFAULT_WORKLOAD:
        return _OTHER_TRIALS.get(schedule)
    return _TRIALS.get((schedule, workload.role))
