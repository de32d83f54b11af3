"""What is known of a defect on an upstream, from the series of its workloads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fixwatch.report.answer import describe_history
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.series import build_series
from fixwatch.verdicts.states import State
from mwe.defects import DEFECTS
from tests.fixwatch.sample_records import (
    new_batch,
    new_controls,
    new_exploration,
    new_record,
    of_defect,
)
from tests.fixwatch.verdicts.test_series import FIXED, ORDER

RELEASES = ("0.24.0", "0.26.0", "0.30.4")


def history(*more, **failures):
    """Return a record for each release, with the failures of workloads (``_`` for ``-``)."""
    return [
        new_record(
            release,
            *(
                new_batch(name.replace("_", "-"), counts[index])
                for name, counts in failures.items()
                if counts[index] is not None
            ),
            *new_controls(),
            *more,
            upstream="numba-cuda",
        )
        for index, release in enumerate(RELEASES)
    ]


def verdict_of(records, defect="cuda-swap", upstream="numba-cuda"):
    """Return the one verdict on a defect."""
    (verdict,) = [
        found
        for found in find_verdicts(build_series(records, ORDER))
        if (found.defect, found.upstream) == (defect, upstream)
    ]
    return verdict


def test_the_first_workload_stands_for_a_defect_where_all_agree():
    """Its transition is the defect's."""
    verdict = verdict_of(history(chunked_local=(50, 0, 0), local_array=(90, 0, 0)))
    assert (verdict.state, verdict.speaker.key.workload) == (State.FIXED, "local-array")
    assert verdict.histories[0].differing == ()


def test_an_upstream_is_affected_if_one_workload_is():
    """The one that fails speaks, and those that do not are named."""
    verdict = verdict_of(history(local_array=(90, 0, 0), shared_array=(60, 60, 60)))
    assert (verdict.state, verdict.speaker.key.workload) == (State.AFFECTED, "shared-array")
    assert [s.key.workload for s in verdict.histories[0].differing] == ["local-array"]


def test_a_defect_is_fixed_where_the_last_workload_of_it_is():
    """A fix of a part of it is none."""
    verdict = verdict_of(history(local_array=(90, 0, 0), shared_array=(60, 60, 0)))
    speaker = verdict.speaker
    assert (verdict.state, speaker.key.workload) == (State.FIXED, "shared-array")
    assert speaker.revisions[speaker.state.fixed_in].record.name == "0.30.4"
    said = describe_history(verdict.histories[0])
    assert said.endswith("; other workloads differ: local-array fixed in 0.26.0")


def test_a_defect_is_as_old_as_its_oldest_workload_that_still_fails():
    """Both appeared here, one before the other."""
    verdict = verdict_of(history(local_array=(0, 0, 90), shared_array=(0, 60, 60)))
    speaker = verdict.speaker
    assert (verdict.state, speaker.key.workload) == (State.AFFECTED, "shared-array")
    assert speaker.revisions[speaker.state.since].record.name == "0.26.0"
    said = describe_history(verdict.histories[0])
    assert said.endswith("; other workloads differ: local-array affected since 0.30.4")


def test_a_defect_is_not_gone_while_a_workload_of_it_says_nothing():
    """Silence that would have shown nothing decides as little here as in a release."""
    verdict = verdict_of(history(local_array=(90, 0, 0), shared_array=(0, 0, 0)))
    assert (verdict.state, verdict.speaker.key.workload) == (State.INCONCLUSIVE, "shared-array")


def test_a_workload_without_results_does_not_hide_the_others():
    """What could not be run says nothing of what was."""
    lost = replace(new_batch("shared-array"), printed=None, stage="import", reason="no such API")
    verdict = verdict_of(history(lost, local_array=(90, 0, 0)))
    assert (verdict.state, verdict.speaker.key.workload) == (State.FIXED, "local-array")
    assert [s.key.workload for s in verdict.histories[0].differing] == ["shared-array"]


@pytest.mark.parametrize("is_run", [False, True])
def test_a_defect_is_not_gone_while_the_workload_that_stands_for_it_is_lost(is_run):
    """The others are silent, and cannot do without it; another that ran in part they can."""
    lost = replace(new_batch(), printed=None, stage="import", reason="no such API")
    part = replace(new_exploration(run=123), decides=False)
    records = history(part if is_run else lost, shared_array=(60, 0, 0))
    verdict = verdict_of(records)
    assert (verdict.state, verdict.speaker.key.workload) == (State.INCONCLUSIVE, "local-array")
    other = new_exploration("local-array-2d", run=123)
    assert verdict_of(history(other, local_array=(90, 0, 0))).state is State.FIXED
    assert verdict_of(history(lost, shared_array=(60, 60, 60))).state is State.AFFECTED


def test_defects_have_verdicts_of_their_own():
    """One is fixed while another is not."""
    lost = of_defect("lost-sum", new_batch(failures=70), *new_controls())
    records = history(*lost, local_array=(90, 0, 0))
    assert verdict_of(records).state is State.FIXED
    assert verdict_of(records, "lost-sum").state is State.AFFECTED


def as_commits(records):
    """Return records of releases as those of commits, in the same order."""
    return [
        replace(record, source="commits", commit=f"c{number}", date=f"2026-01-0{number + 1}")
        for number, record in enumerate(records)
    ]


def test_the_worst_history_speaks_for_an_upstream():
    """Releases that are fixed hide no commits that are not."""
    records = history(local_array=(90, 0, 0))
    verdict = verdict_of([*records, *as_commits(records[:1])])
    assert (verdict.state, verdict.speaker.key.source) == (State.AFFECTED, "commits")
    assert [found.state for found in verdict.histories] == [State.AFFECTED, State.FIXED]


def test_of_histories_that_agree_releases_speak():
    """They name a version that can be installed."""
    records = history(local_array=(90, 0, 0))
    verdict = verdict_of([*as_commits(records), *records])
    assert [found.speaker.key.source for found in verdict.histories] == ["releases", "commits"]


def test_a_history_that_has_just_begun_does_not_speak():
    """One release on a newer Python would hide all that is known of the others."""
    affected = history(local_array=(90, 90, 90))
    newest = replace(affected[-1], python="3.13")
    tags = as_commits([replace(record, name=f"v{record.name}") for record in affected])
    for known in (affected, tags):
        verdict = verdict_of([newest, *known])
        assert [len(found.speaker.revisions) for found in verdict.histories] == [3, 1]


def test_a_defect_that_was_not_measured_has_a_verdict_that_says_so(monkeypatch):
    """It is known, so that an answer without it would say too much."""
    unmeasured = replace(DEFECTS["cuda-swap"], name="lost-sum")
    monkeypatch.setattr(
        "fixwatch.verdicts.defects.DEFECTS", {**DEFECTS, unmeasured.name: unmeasured}
    )
    verdict = verdict_of(FIXED, "lost-sum")
    assert (verdict.state, verdict.speaker) == (State.NOT_RUN, None)


def test_on_a_device_no_defect_is_told_from_another():
    """Any failure of correct code counts there, under whatever defect its workload stands."""
    lost = of_defect("lost-sum", new_batch(failures=70, schedule="natural"), *new_controls())
    record = new_record("0.30.4", *lost, upstream="numba-cuda", target="cuda")
    (verdict,) = find_verdicts(build_series([record], ORDER))
    assert (verdict.defect, verdict.target, verdict.state) == (None, "cuda", State.AFFECTED)
