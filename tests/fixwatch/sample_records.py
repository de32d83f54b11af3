"""Evidence records for tests, built from counts."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from fixwatch.records.evidence import (
    SHIELD,
    BatchEvidence,
    Evidence,
    ExploredSpace,
    PrintedBatch,
)
from fixwatch.records.plans import LookedAtRevision
from fixwatch.verdicts.defects import list_defects
from mwe.defects import DEFECTS, WORKLOADS, find_defect

# What a judge looks for, and histories in the simulator.
SIMULATED_DEFECTS = {name: DEFECTS[name] for name in list_defects("simulator")}
# Of a revision whose date does not matter.
DAY = "2023-05-02T00:00:00+00:00"


def new_batch(workload="local-array", failures=0, trials=100, *, schedule="delay", **overrides):
    """Return the evidence of a batch in the simulator.

    Failures have the race's signature unless said otherwise.
    """
    known = WORKLOADS.get(workload)
    role = known.role.value if known else "workload"
    printed = {
        "trials": trials,
        "failures": failures,
        "failures_by_mode": {"missing-attribute": failures} if failures else {},
        "refusals": 0,
        "early_return_failures": 0,
        "first_failure_trial": None,
        "first_failure_s": None,
        "duration_s": 0.5,
        "seed": 1,
        "attributes": {"local": failures} if failures else {},
        "trials_by_kernel": {"fresh": trials},
        "failures_by_kernel": {},
        "leaks": 0,
        "failing_trials": (),
        "details": (),
        "status": "complete",
        **overrides,
    }
    modes = printed["failures_by_mode"]
    if role == "negative-control":
        shown = printed["failures"]
    else:
        shown = modes.get("missing-attribute", 0) + modes.get("leaked-global", 0)
    return BatchEvidence(
        defect=find_defect(workload).name if known else "cuda-swap",
        workload=workload,
        role=role,
        schedule=schedule,
        decides=schedule not in ("natural", "explore"),
        printed=PrintedBatch(**{"signature_failures": shown, **printed}),
    )


def new_exploration(workload="local-array", *, schedules=4832, run=None, failing=None, **overrides):
    """Return an exploration: of its whole space, of a part, or up to a schedule that failed."""
    run = schedules if run is None else run
    space = ExploredSpace(
        schedules=schedules, run=run, exhausted=run == schedules, switches=2, threads=2, points=67
    )
    values = {
        "space": space,
        "first_failure_schedule": failing,
        "first_failure_trial": run if failing else None,
        **overrides,
    }
    trials, failures = values.pop("trials", run), values.pop("failures", int(failing is not None))
    return new_batch(workload, failures, trials, schedule="explore", **values)


def new_explored_controls(*, positive="0,0@35:1,1@23:0", negative=None):
    """Return a positive and a negative control of explore, with the schedules that failed."""
    return (
        new_exploration("planted-race", schedules=1460, run=72, failing=positive),
        new_exploration("same-module", schedules=3318, run=2000, failing=negative),
    )


def new_gap(reason="it hung", **options):
    """Return a batch that was not run."""
    return replace(new_batch(**options), printed=None, stage="batch", reason=reason)


def new_shielded(name, *batches, **overrides):
    """Return the record of a release that was measured with the shield."""
    record = new_record(name, *batches, **overrides)
    return replace(record, packages={**record.packages, SHIELD: "1"})


def new_controls(*, positive=45, negative=0):
    """Return a positive and a negative control with these failures of 50 trials."""
    return (new_batch("planted-race", positive, 50), new_batch("same-module", negative, 50))


def of_defect(defect, *batches):
    """Return batches as those of another defect, with workloads that are named for it."""
    return [
        replace(batch, defect=defect, workload=f"{defect}-{batch.workload}") for batch in batches
    ]


def hash_of(upstream, name):
    """Return the hash that a revision of this name has in the samples."""
    return hashlib.sha256(f"{upstream}-{name}".encode()).hexdigest()[:40]


def new_record(name="0.57.0", *batches, upstream="numba", date=DAY, **overrides):
    """Return the record of a release."""
    values = {
        "upstream": upstream,
        "source": "releases",
        "commit": hash_of(upstream, name),
        "name": name,
        "date": date,
        "machine": "m",
        "environment": "e",
        "python": "3.11",
        "target": "simulator",
        "measured_at": "2026-11-20T00:00:00+00:00",
        "packages": {upstream: name},
        "measurement_version": "3" if batches else None,
        "batches": batches,
    }
    return Evidence(**{**values, **overrides})


def look_at(record, kind):
    """Return what a plan looks at when it looks at the race in a record's revision."""
    return LookedAtRevision(
        folder="releases" if record.source == "releases" else record.upstream,
        upstream=record.upstream,
        kind=kind,
        commit=record.commit,
        defects=("cuda-swap",),
    )
