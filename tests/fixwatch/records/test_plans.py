"""Plans: what a merge takes from a shard is what the plan asked it for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fixwatch.errors import FixwatchError
from fixwatch.records.evidence import save_evidence
from fixwatch.records.merge import merge_shards
from fixwatch.records.plans import (
    NONCE_NAME,
    STRAY_TRIALS,
    AskedRevision,
    Plan,
    dump_plan,
    find_shard_number,
    load_plan,
)
from fixwatch.records.shards import Checkout
from tests.fixwatch.sample_records import (
    DAY,
    hash_of,
    look_at,
    new_batch,
    new_controls,
    new_record,
)

ASKED = AskedRevision(
    folder="releases",
    upstream="numba-cuda",
    commit=hash_of("numba-cuda", "0.26.0"),
    name="0.26.0",
    date=DAY,
)
PLAN = Plan(
    nonce="0" * 32,
    machine="m",
    environment="e",
    python="3.11",
    measurement_version="3",
    asked=(ASKED,),
)
BATCHES = (new_batch(), *new_controls())
PLANNED = {
    (batch.defect, batch.workload, batch.role, batch.schedule, batch.decides): 100
    for batch in BATCHES
}
RECORD = new_record("0.26.0", *BATCHES, upstream="numba-cuda")
RELEASES = frozenset({("numba-cuda", "0.26.0"), ("numba-cuda", "0.24.0")})


def merge(tmp_path, record, plan=PLAN, nonce=PLAN.nonce, shard="shard-1"):
    """Merge a shard of one record; return how many were written, and why not."""
    root = tmp_path / "shards" / shard
    folder = "releases" if record.source == "releases" else record.upstream
    stem = f"{record.commit[:8]}-{record.environment}"
    save_evidence(record, root / folder / record.machine / f"{stem}.evidence")
    (root / NONCE_NAME).write_text(nonce)
    checkout = Checkout(
        measurement_version=3, releases=RELEASES, planned_batches=PLANNED, plan=plan
    )
    n_written, refused = merge_shards([root], tmp_path / "results", checkout, print)
    return n_written, [reason for _, reason in refused]


def test_what_was_asked_for_is_taken(tmp_path):
    """A record as the plan has it comes into the results."""
    assert merge(tmp_path, RECORD) == (1, [])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"machine": "linux-x86_64-2core"}, "machine is"),
        ({"environment": "another"}, "environment is"),
        ({"python": "3.12"}, "python is"),
        ({"measurement_version": "2"}, "measurement_version is"),
        ({"commit": "1" * 40}, "the plan does not ask this shard for it"),
        ({"name": "0.24.0"}, "name is '0.24.0', the plan says otherwise"),
        ({"date": "2024-01-01T00:00:00+00:00"}, "date is"),
        ({"source": "commits", "commit": "1" * 40}, "the plan does not ask this shard for it"),
        ({"batches": (new_batch(trials=101), *new_controls())}, "has 101 trials, 100 are planned"),
        ({"batches": (new_batch("shared-array"), *new_controls())}, "is not planned so"),
        (
            {"batches": tuple(replace(batch, role="workload") for batch in BATCHES)},
            "is not planned so",
        ),
    ],
)
def test_anything_else_is_refused(tmp_path, changes, reason):
    """Another place, name, meaning, size or role than what was asked for changes nothing."""
    n_written, reasons = merge(tmp_path, replace(RECORD, **changes))
    assert n_written == 0
    assert len(reasons) == 1
    assert reason in reasons[0]


@pytest.mark.parametrize(
    ("kind", "trials", "reasons"),
    [
        ("newest release", STRAY_TRIALS, []),
        ("newest release", STRAY_TRIALS + 1, ["local-array under delay has 501 trials, 500 are"]),
        ("negative control", STRAY_TRIALS, ["local-array under delay has 500 trials, 100 are"]),
    ],
)
def test_a_batch_of_a_newest_revision_may_have_gone_on(tmp_path, kind, trials, reasons):
    """Where fewer failed than a change needs; of others nobody asks for more."""
    record = replace(RECORD, batches=(new_batch(trials=trials), *new_controls()))
    n_written, refused = merge(tmp_path, record, replace(PLAN, looked_at=(look_at(RECORD, kind),)))
    assert n_written == (not reasons)
    assert [reason[: len(said)] for reason, said in zip(refused, reasons, strict=True)] == reasons


def test_a_shard_is_asked_for_its_own_share(tmp_path):
    """What another shard was asked for is not taken from this one."""
    plan = replace(PLAN, asked=(replace(ASKED, shard=2),))
    assert merge(tmp_path / "1", RECORD, plan)[0] == 0
    assert merge(tmp_path / "2", RECORD, plan, shard="shard-2") == (1, [])


def test_an_answer_to_another_plan_is_refused(tmp_path):
    """A shard of last week, say."""
    assert merge(tmp_path, RECORD, nonce="1" * 32) == (0, ["its nonce is not that of the plan"])


def test_a_plan_survives_being_handed_over(tmp_path):
    """It is one line of JSON, and the same when it is read."""
    text = dump_plan(PLAN)
    assert "\n" not in text
    (tmp_path / "plan.json").write_text(text)
    assert load_plan(tmp_path / "plan.json") == PLAN


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}', "[" * 100_000])
def test_a_file_that_is_no_plan_is_one_line(tmp_path, text):
    """The line names the file."""
    (tmp_path / "plan.json").write_text(text)
    with pytest.raises(FixwatchError, match="plan.json") as raised:
        load_plan(tmp_path / "plan.json")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "number"), [("shard-1", 1), ("shard-12", 12), ("results", None), ("7", 7)]
)
def test_a_shards_number_is_that_of_its_folder(name, number):
    """The jobs' artifacts are called so."""
    assert find_shard_number(Path("shards") / name) == number
