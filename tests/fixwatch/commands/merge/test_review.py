"""Which verdicts a merge may change: those that two shards change alike, or a person accepts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.commands.merge.review import Reviewer
from fixwatch.history.order import RevisionOrder
from fixwatch.records.plans import AskedRevision
from fixwatch.records.shards import Place, Shard
from tests.fixwatch.records.test_plans import PLAN
from tests.fixwatch.sample_records import look_at, new_batch, new_controls, new_record


def release(version, failures, **overrides):
    """Return the record of a release of numba-cuda."""
    batches = (new_batch(failures=failures), *new_controls())
    return new_record(version, *batches, upstream="numba-cuda", **overrides)


def shard_of(*records):
    """Return a shard that holds records."""
    return Shard(
        records={
            Place("releases", record.machine, f"{record.commit[:8]}-{record.environment}"): record
            for record in records
        }
    )


PRESENT = shard_of(release("0.24.0", 90), release("0.26.0", 0), release("0.27.0", 0))
RELAPSE = release("0.28.0", 90)
NO_NEWS = release("0.28.0", 0)


def review(*shards, **options):
    """Review shards; return the reasons of what was refused, and the changes let through."""
    reviewer = Reviewer(order=RevisionOrder(), **options)
    refused = [reason for _, reason in reviewer.review(shards, PRESENT)]
    return refused, reviewer.changes


def test_what_changes_no_verdict_needs_no_second_shard():
    """A release that is as clean as those before it comes in."""
    shard = shard_of(NO_NEWS)
    assert review(shard) == ([], [])
    assert len(shard.records) == 1


def test_a_verdict_that_one_shard_changes_stays():
    """Nothing of that upstream is taken, and the reason says what would have changed."""
    shards = shard_of(RELAPSE), shard_of(NO_NEWS), shard_of()
    (reason,), changes = review(*shards)
    assert "fixed (fixed in 0.26.0) becomes affected (appeared in 0.28.0)" in reason
    assert "--accept" in reason
    assert changes == []
    assert [len(shard.records) for shard in shards] == [0, 0, 0]


def test_a_record_that_replaces_ours_changes_no_verdict_alone():
    """A forged measurement of the release with the fix moves nothing."""
    (reason,), _ = review(shard_of(release("0.26.0", 100, measured_at="2026-11-21T00:00:00+00:00")))
    assert "becomes fixed (fixed in 0.27.0)" in reason


def test_what_two_shards_measured_alike_is_taken():
    """Both show the relapse."""
    shards = shard_of(RELAPSE), shard_of(release("0.28.0", 80))
    refused, (change,) = review(*shards)
    assert refused == []
    assert "becomes affected" in change


def test_what_a_person_accepts_is_taken():
    """One shard is enough then."""
    refused, (change,) = review(shard_of(RELAPSE), accepts_changes=True)
    assert refused == []
    assert "becomes affected" in change


def test_a_change_of_one_upstream_takes_nothing_from_the_other():
    """Numba's record comes in beside a doubtful one of numba-cuda."""
    numba = new_record("0.60.0", new_batch(failures=90), *new_controls())
    shard = shard_of(RELAPSE, numba)
    refused, _ = review(shard)
    assert len(refused) == 1
    assert list(shard.records.values()) == [numba]


@pytest.mark.parametrize(("kind", "failures"), [("positive control", 0), ("negative control", 90)])
def test_a_machine_that_contradicts_the_record_is_not_believed(kind, failures):
    """It saw no failure in an affected release, or some in a clean one: it is refused whole."""
    # Another affected release of the same shard says what silence is worth.
    control, beside = release("0.24.0", failures), release("0.23.0", 90)
    plan = replace(PLAN, looked_at=(look_at(control, kind), look_at(beside, "positive control")))
    shard = shard_of(control, beside, NO_NEWS)
    (reason,), _ = review(shard, plan=plan)
    assert f"the {kind} numba-cuda 0.24.0 is" in reason
    assert shard.records == {}


def test_shards_that_left_out_their_controls_change_no_verdict():
    """Two say the same, and nobody knows whether their machines can see a failure."""
    control = release("0.24.0", 90)
    asked = AskedRevision(
        folder="releases",
        upstream="numba-cuda",
        commit=control.commit,
        name=control.name,
        date=control.date,
    )
    plan = replace(PLAN, asked=(asked,), looked_at=(look_at(control, "positive control"),))
    (reason,), _ = review(shard_of(RELAPSE), shard_of(release("0.28.0", 80)), plan=plan)
    assert "becomes affected" in reason
    shards = shard_of(RELAPSE, control), shard_of(release("0.28.0", 80), control)
    assert review(*shards, plan=plan)[0] == []


class ReviewerOfAnotherUpstream(Reviewer):
    """Finds a change in a history of which no shard has a record."""

    def _find_changes(self, before, present, shards):
        history = ("numba", "simulator", "cuda-swap", "commits", "3.11")
        return {history: ("affected", "fixed")} if any(shard.records for shard in shards) else {}


def test_a_change_of_an_upstream_without_a_record_takes_all():
    """The review comes to its end."""
    shard = shard_of(NO_NEWS)
    ((place, _),) = ReviewerOfAnotherUpstream(order=RevisionOrder()).review([shard], PRESENT)
    assert (place, shard.records) == ("numba", {})
