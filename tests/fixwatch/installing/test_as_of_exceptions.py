"""What the metadata of revisions leaves out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from fixwatch.installing.as_of_exceptions import find_commit_constraints, find_missing_requirements


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2024, 7, 23, 23, 59, tzinfo=timezone.utc), []),
        (datetime(2024, 7, 24, tzinfo=timezone.utc), ["numpy<2.0.1"]),
        (datetime(2024, 8, 5, 23, 59, tzinfo=timezone.utc), ["numpy<2.0.1"]),
        (datetime(2024, 8, 6, tzinfo=timezone.utc), []),
        # The day counts in UTC: this is still the 5th there.
        (datetime(2024, 8, 6, 1, tzinfo=timezone(timedelta(hours=2))), ["numpy<2.0.1"]),
    ],
)
def test_numpy_is_bound_for_the_days_whose_commits_do_not_compile(moment, expected):
    """Both ends are included, and other upstreams are not bound."""
    assert find_commit_constraints("numba", moment) == expected
    assert find_commit_constraints("numba-cuda", moment) == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [("2025-10-26", []), ("2025-10-27", ["numba<0.66"]), ("2026-07-02", ["numba<0.66"])],
)
def test_numba_is_bound_for_the_days_whose_commits_do_not_import_with_a_newer_one(day, expected):
    """Commits of the next day import again, so they take what there is."""
    moment = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    assert find_commit_constraints("numba-cuda", moment) == expected
    assert find_commit_constraints("numba-cuda", moment + timedelta(days=300)) == []


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("0.0.14", ["numba"]),
        ("0.0.15", []),
        ("0.15.1", []),
        ("0.15.2", ["cuda-bindings", "cuda-core"]),
        ("0.20.1", ["cuda-bindings", "cuda-core"]),
        ("0.21.1", []),
    ],
)
def test_releases_get_what_their_metadata_leaves_out(version, expected):
    """The range goes by version, not by date: 0.19.2 came after 0.21.1."""
    assert find_missing_requirements("numba-cuda", version) == expected
    assert find_missing_requirements("numba", version) == []
