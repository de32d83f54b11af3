"""The list of relevant commits: its file, the order it gives, and what lies between."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixwatch.errors import FixwatchError
from fixwatch.history.listing import (
    LISTING_NAME,
    ListedCommit,
    Listing,
    load_listing,
    load_listings,
    save_listing,
)
from fixwatch.history.order import RevisionOrder


def listed(commit, day, *, is_on_branch=True, reasons=("touches x",)):
    """Return a listed commit of May 2023."""
    return ListedCommit(
        commit=commit,
        name=commit,
        date=f"2023-05-{day:02}T00:00:00+00:00",
        is_on_branch=is_on_branch,
        reasons=reasons,
    )


LISTING = Listing(
    "numba",
    (
        listed("a", 1),
        listed("b", 5),
        listed("beside", 6, is_on_branch=False),
        listed("asked", 7, reasons=()),
        listed("c", 9),
    ),
)


def test_a_listing_is_read_as_it_was_written(tmp_path):
    """The lists are found by upstream; a folder without one is passed over."""
    save_listing(LISTING, tmp_path / "numba")
    assert load_listing(tmp_path / "numba") == LISTING
    assert load_listings([tmp_path / "numba", tmp_path / "none"]) == {"numba": LISTING}


def test_the_listings_of_a_target_stand_beside_those_of_the_simulator(tmp_path):
    """Other commits are relevant for a compiler, so an upstream has a list for each target."""
    compiled = replace(LISTING, commits=LISTING.commits[:2], target="compiler")
    save_listing(LISTING, tmp_path / "numba")
    save_listing(compiled, tmp_path / "compiler-numba")
    order = RevisionOrder(listings=load_listings([tmp_path / "numba", tmp_path / "compiler-numba"]))
    assert order.find_listing("numba", "simulator") == LISTING
    assert order.find_listing("numba", "compiler") == compiled
    assert order.find_listing("numba", "cuda") is None


def test_the_same_listing_is_not_written_again(tmp_path):
    """A run that finds nothing new leaves the file as it is."""
    save_listing(LISTING, tmp_path)
    before = (tmp_path / LISTING_NAME).stat().st_mtime_ns
    save_listing(LISTING, tmp_path)
    assert (tmp_path / LISTING_NAME).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not a list of commits"),
        ('{"version": 1, "upstream": "numba"}\n{"commit": "a"', "not a list of commits"),
        ('{"version": 1, "upstream": "numba"}\n{"commit": "a"}\n', "not a list of commits"),
        ('{"version": 2, "upstream": "numba"}\n', "format version 2.*update Fixwatch"),
        ('{"version": 1, "upstream": []}\n', "not a list of commits"),
        (
            '{"version": 1, "upstream": "numba"}\n{"commit": "a", "name": "a", "reasons": [], '
            '"is_on_branch": true, "date": "2026-02-30T00:00:00+00:00"}\n',
            r"date: .*out of range",
        ),
    ],
)
def test_a_listing_that_cannot_be_read_is_named(tmp_path, text, message):
    """One line names the file and says what to do about it."""
    (tmp_path / LISTING_NAME).write_text(text)
    with pytest.raises(FixwatchError, match=message) as caught:
        load_listing(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_commit_stands_where_it_is_listed_else_where_its_date_is():
    """A listed commit stands where the list has it, whatever its date says."""
    assert LISTING.find_place("b", "1999-01-01") == 1
    assert LISTING.find_place("other", "2023-05-05T12:00:00+00:00") == 1.5
    assert LISTING.find_place("older", "2022-01-01") == -0.5
    assert LISTING.find_place("newer", "2024-01-01") == 4.5


def test_only_relevant_commits_of_the_branch_lie_between():
    """The ends, what was made beside the branch and what was only asked for are left out."""
    assert [commit.commit for commit in LISTING.between(0, 4)] == ["b"]
    assert LISTING.between(1, 4) == []
    assert not LISTING.is_on_branch("beside")
    assert LISTING.is_on_branch("unlisted")


@given(st.lists(st.integers(1, 28), unique=True, min_size=1), st.integers(1, 28))
def test_an_unlisted_commit_keeps_the_order_of_dates(days, day):
    """It stands between older and newer commits as long as clocks run forward."""
    listing = Listing("numba", tuple(listed(str(number), number) for number in sorted(days)))
    place = listing.find_place("unlisted", listed("x", day).date)
    for commit in listing.commits:
        if commit.date != listed("x", day).date:
            is_older = commit.date < listed("x", day).date
            assert (listing.find_place(commit.commit, commit.date) < place) is is_older
