"""Forged shards: the job that was asked hands over, under right names, what it wants to be true.

Beside each lies the honest answer of the second shard. Whatever the forged one says, no verdict on
record changes.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.merge.review import Reviewer
from fixwatch.history.order import RevisionOrder
from fixwatch.records.evidence import iter_evidence, save_evidence
from fixwatch.records.merge import merge_shards
from fixwatch.records.plans import NONCE_NAME
from fixwatch.records.shards import Checkout
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.series import build_series
from tests.fixwatch.records.test_plans import ASKED, PLAN, PLANNED
from tests.fixwatch.sample_records import hash_of, new_batch, new_controls, new_record

VERSIONS = ("0.23.0", "0.24.0", "0.26.0", "0.27.0", "0.28.0")
RELEASES = frozenset(("numba-cuda", version) for version in VERSIONS)
NEW = "0.28.0"
# What is asked for: the newest release, and one of either kind as a sample.
ASKED_VERSIONS = (NEW, "0.24.0", "0.26.0")


def release(version, failures, *more, trials=100, controls=None, **overrides):
    """Return the record of a release of numba-cuda."""
    batches = (new_batch(failures=failures, trials=trials), *(controls or new_controls()), *more)
    date = f"2025-01-{VERSIONS.index(version) + 1:02}T00:00:00+00:00"
    return new_record(
        version, *batches, upstream="numba-cuda", **{"date": date, "machine": "m", **overrides}
    )


def with_batches(record, **changes):
    """Return a record whose workload's batch says something else of itself."""
    first, *others = record.batches
    return replace(record, batches=(replace(first, **changes), *others))


ON_RECORD = [
    release("0.23.0", 90),
    release("0.24.0", 90),
    release("0.26.0", 0),
    release("0.27.0", 0),
]
HONEST = [release(NEW, 0), release("0.24.0", 85), release("0.26.0", 0)]
LATER = {"measured_at": "2026-11-21T00:00:00+00:00"}
FAILING = release(NEW, 100, **LATER)
FORGERIES = {
    "a relapse": [FAILING],
    "a relapse at a low rate": [release(NEW, 20, **LATER)],
    "a clean release that fails": [release("0.26.0", 100, **LATER)],
    "an affected release that is clean": [release("0.24.0", 0, **LATER)],
    "both at once": [release("0.24.0", 0, **LATER), release("0.26.0", 100, **LATER)],
    "a release that was not asked for": [release("0.27.0", 100, **LATER)],
    "an older one that was not asked for": [release("0.23.0", 0, **LATER)],
    "a commit that is in no repository": [replace(FAILING, commit="9" * 40)],
    "another release's name": [replace(FAILING, name="0.26.0")],
    "a release that is not there": [replace(FAILING, name="0.99.0")],
    "an earlier date": [replace(FAILING, date="2024-01-01T00:00:00+00:00")],
    "another machine": [replace(FAILING, machine="elsewhere")],
    "another environment": [replace(FAILING, environment="f")],
    "another Python": [replace(FAILING, python="3.12")],
    "the other upstream": [replace(FAILING, upstream="numba")],
    "a history of commits": [replace(FAILING, source="commits")],
    "a device": [replace(FAILING, target="cuda")],
    "an older meaning of counts": [replace(FAILING, measurement_version="2")],
    "a newer meaning of counts": [replace(FAILING, measurement_version="4")],
    "invented batches": [release(NEW, 100, *(new_batch(f"x-{n}") for n in range(10)), **LATER)],
    "more trials than were asked for": [release(NEW, 400, trials=500, **LATER)],
    "a workload that is called a control": [with_batches(FAILING, role="negative-control")],
    "a batch of another defect": [with_batches(FAILING, defect="another")],
    "a batch that decides nothing": [with_batches(FAILING, decides=False)],
    "a positive control that is silent": [
        release("0.26.0", 0, controls=new_controls(positive=0), **LATER)
    ],
    "a negative control that fails": [
        release("0.26.0", 0, controls=new_controls(negative=50), **LATER)
    ],
    "nothing that ran": [
        replace(
            release("0.26.0", 0, **LATER), batches=(), not_run_stage="build", not_run_reason="x"
        )
    ],
}


def write_shard(root, records, nonce=PLAN.nonce):
    """Write records as a job hands them over."""
    for record in records:
        folder = "cuda" if record.target == "cuda" else "releases"
        folder = folder if record.source == "releases" else record.upstream
        stem = f"{record.commit[:8]}-{record.environment}"
        save_evidence(record, root / folder / record.machine / f"{stem}.evidence")
    root.mkdir(exist_ok=True)
    (root / NONCE_NAME).write_text(nonce)
    return root


def summarise(results):
    """Return what is said of each history: its state, and where it changed."""
    found = {}
    records = [record for folder in results.iterdir() for record in iter_evidence(folder)]
    for verdict in find_verdicts(build_series(records, RevisionOrder())):
        for history in verdict.histories:
            names = [revision.record.name for revision in history.speaker.revisions]
            changes = [
                (change.kind, names[change.after], names[change.at])
                for change in history.speaker.history.changes
            ]
            found[verdict.upstream, verdict.defect, history.speaker.key] = history.state, changes
    return found


@pytest.mark.parametrize("kind", FORGERIES)
def test_no_verdict_changes_by_a_forged_shard(tmp_path, kind):
    """The verdicts after a merge of both shards are those before it."""
    results = write_shard(tmp_path / "results", ON_RECORD)
    before = summarise(results)
    assert any(changes for _, changes in before.values())
    asked = tuple(
        replace(
            ASKED,
            commit=hash_of("numba-cuda", version),
            name=version,
            date=release(version, 0).date,
        )
        for version in ASKED_VERSIONS
    )
    plan = replace(PLAN, asked=asked)
    shards = [
        write_shard(tmp_path / "shard-1", FORGERIES[kind]),
        write_shard(tmp_path / "shard-2", HONEST),
    ]
    checkout = Checkout(
        measurement_version=3, releases=RELEASES, planned_batches=PLANNED, plan=plan
    )
    review = Reviewer(order=RevisionOrder(), plan=plan).review
    merge_shards(shards, results, checkout, print, review)
    assert summarise(results) == before


def test_two_shards_that_agree_change_it(tmp_path):
    """What is refused above is not refused because it is new."""
    results = write_shard(tmp_path / "results", ON_RECORD)
    plan = replace(
        PLAN,
        asked=(
            replace(ASKED, commit=hash_of("numba-cuda", NEW), name=NEW, date=release(NEW, 0).date),
        ),
    )
    shards = [
        write_shard(tmp_path / "shard-1", [FAILING]),
        write_shard(tmp_path / "shard-2", [release(NEW, 95)]),
    ]
    checkout = Checkout(
        measurement_version=3, releases=RELEASES, planned_batches=PLANNED, plan=plan
    )
    review = Reviewer(order=RevisionOrder(), plan=plan).review
    assert merge_shards(shards, results, checkout, print, review) == (1, [])
    assert "affected" in {state.value for state, _ in summarise(results).values()}
