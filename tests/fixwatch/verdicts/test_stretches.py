"""Since when an upstream has a defect, as stretches of time."""

from __future__ import annotations

from datetime import datetime, timezone

from fixwatch.history.listing import ListedCommit, Listing
from fixwatch.history.order import RevisionOrder
from fixwatch.verdicts.defects import find_verdicts
from fixwatch.verdicts.series import build_series
from fixwatch.verdicts.stretches import find_beginnings, find_stretches
from tests.fixwatch.sample_records import hash_of, new_batch, new_controls, new_record
from tests.fixwatch.verdicts.test_series import ORDER, numba_cuda


def stretch(records, order=ORDER):
    """Return the stretches of cuda-swap: affected or not, first day and last, and its revision."""
    (verdict,) = [
        found
        for found in find_verdicts(build_series(records, order))
        if found.defect == "cuda-swap"
    ]
    return [
        (
            found.is_affected,
            f"{found.start:%Y-%m-%d}",
            f"{found.end:%Y-%m-%d}",
            found.begins_in.name if found.begins_in else None,
        )
        for found in find_stretches(verdict)
    ]


def commit(name, failures, date, **overrides):
    """Return the record of a commit of numba-cuda."""
    return numba_cuda(name, failures, date, source="commits", **overrides)


def order_of(*names):
    """Return an order in which these commits are neighbours, the last of them beside the branch."""
    rows = tuple(
        ListedCommit(
            commit=hash_of("numba-cuda", name),
            name=name,
            date=date,
            is_on_branch=name != "beside",
            reasons=("x",),
        )
        for name, date in names
    )
    return RevisionOrder(ORDER.releases, {"numba-cuda": Listing("numba-cuda", rows)})


def test_a_change_between_neighbours_stands_at_the_later_one():
    """No release was uploaded between 0.24.0 and 0.26.0: nothing is unknown between them."""
    records = [numba_cuda("0.24.0", 90, "2026-01-12"), numba_cuda("0.26.0", 0, "2026-01-30")]
    assert stretch(records) == [
        (True, "2026-01-12", "2026-01-30", "0.24.0"),
        (False, "2026-01-30", "2026-01-30", "0.26.0"),
    ]


def test_between_releases_that_are_not_neighbours_it_is_not_known_where_it_changed():
    """The releases between were uploaded and not measured."""
    records = [numba_cuda("0.12.1", 90, "2025-05-21"), numba_cuda("0.26.0", 0, "2026-01-30")]
    assert stretch(records) == [
        (True, "2025-05-21", "2025-05-21", "0.12.1"),
        (None, "2025-05-21", "2026-01-30", None),
        (False, "2026-01-30", "2026-01-30", "0.26.0"),
    ]


def test_a_revision_that_was_not_run_is_not_known():
    """It is no zero."""
    missing = new_record(
        "0.26.0", upstream="numba-cuda", date="2026-01-30", not_run_reason="no wheel"
    )
    (known, unknown) = stretch([numba_cuda("0.24.0", 90, "2026-01-12"), missing])
    assert (known[0], unknown[0]) == (True, None)
    assert unknown[3] == "0.26.0"


def test_releases_stand_before_and_after_the_commits():
    """Commits are closer together, and say where it changed; releases may be older and newer."""
    records = [
        numba_cuda("0.24.0", 90, "2026-01-12"),
        numba_cuda("0.26.0", 0, "2026-01-30"),
        numba_cuda("0.30.4", 0, "2026-07-03"),
        commit("a", 90, "2026-01-20"),
        commit("b", 0, "2026-01-22"),
    ]
    order = order_of(("a", "2026-01-20"), ("b", "2026-01-22"))
    assert stretch(records, order) == [
        (True, "2026-01-12", "2026-01-22", "0.24.0"),
        (False, "2026-01-22", "2026-07-03", "b"),
    ]


def test_a_commit_beside_the_branch_cuts_nothing():
    """A maintenance release made of an old branch reopens no defect."""
    records = [commit(*row) for row in (("a", 0, "2026-01-20"), ("b", 0, "2026-01-24"))]
    records += [commit("z", 90, "2025-12-01"), commit("beside", 90, "2026-01-22")]
    order = order_of(
        ("z", "2025-12-01"),
        ("a", "2026-01-20"),
        ("beside", "2026-01-22"),
        ("b", "2026-01-24"),
    )
    assert [found[0] for found in stretch(records, order)] == [True, False]


def test_time_never_runs_backwards():
    """A release that was uploaded late, and a committer's clock that is wrong, start no earlier."""
    records = [
        numba_cuda("0.22.2", 90, "2026-06-01"),
        numba_cuda("0.24.0", 90, "2026-01-12"),
        numba_cuda("0.26.0", 0, "2026-01-30"),
        numba_cuda("0.27.0", 0, "2026-02-05"),
    ]
    found = stretch(records)
    assert [is_affected for is_affected, *_ in found] == [True, False]
    moments = [day for _, start, end, _ in found for day in (start, end)]
    assert moments == sorted(moments)


def test_a_silence_that_the_history_doubts_is_not_known():
    """One release whose batch says too little is neither affected nor free."""
    records = [numba_cuda("0.26.0", 0, "2026-01-30", trials=3)]
    assert [found[0] for found in stretch(records)] == [None]


def test_a_defect_that_was_not_measured_has_no_stretch():
    """There is nothing to draw, and nothing is made up."""
    record = new_record("0.57.0", new_batch(failures=90), *new_controls())
    verdicts = find_verdicts(build_series([record], ORDER))
    (unmeasured,) = [found for found in verdicts if found.defect == "shared-split"]
    assert find_stretches(unmeasured) == []


def test_a_beginning_is_named_by_release_and_commit():
    """A release that is not the first with the fix is none beside a commit that is."""
    commits = [commit("a", 90, "2026-01-20"), commit("b", 0, "2026-01-22")]
    order = order_of(("a", "2026-01-20"), ("b", "2026-01-22"))
    exact = [numba_cuda("0.24.0", 90, "2026-01-12"), numba_cuda("0.26.0", 0, "2026-01-30")]
    sparse = [numba_cuda("0.24.0", 90, "2026-01-12"), numba_cuda("0.30.4", 0, "2026-07-03")]
    for records, names in (
        ([*exact, *commits], ["0.26.0", "b"]),
        ([*sparse, *commits], ["b"]),
        (sparse, ["0.30.4"]),
        (exact[:1], []),
    ):
        (verdict,) = [
            found
            for found in find_verdicts(build_series(records, order))
            if found.defect == "cuda-swap"
        ]
        assert [record.name for record in find_beginnings(verdict).values()] == names


def test_moments_are_comparable():
    """Days and moments with a zone are both in UTC."""
    (verdict, *_) = find_verdicts(build_series([numba_cuda("0.24.0", 90, "2026-01-12")], ORDER))
    (found,) = find_stretches(verdict)
    assert found.start == datetime(2026, 1, 12, tzinfo=timezone.utc)
