"""What asv is told of the history that it publishes."""

from __future__ import annotations

import pytest
from asv.repo import NoSuchNameError
from asv.util import UserError

from fixwatch.asv_adapter.published_history import (
    PublishedBranch,
    PublishedHistory,
    PublishedRevision,
    find_branch,
)
from fixwatch.history.listing import ListedCommit, Listing
from fixwatch.history.order import RevisionOrder
from tests.fixwatch.sample_records import new_record

COMMITS = ("a" * 40, "b" * 40, "c" * 40)


def new_revision(commit, name, day=1):
    """Return a revision of a day in 2024."""
    return PublishedRevision(commit=commit, name=name, date=f"2024-01-{day:02}T00:00:00+00:00")


@pytest.fixture
def history():
    """Return a branch of three commits, of which two are releases."""
    names = ("0.57.0", "bbbbbbbb", "v0.58.0")
    revisions = tuple(map(new_revision, COMMITS, names, (1, 2, 3)))
    return PublishedHistory(PublishedBranch("main", revisions), "numba")


def test_asv_is_told_how_a_range_is_written(history):
    """What it writes names the same commits again."""
    written = history.get_range_spec(*COMMITS[:2])
    assert history.get_hashes_from_range(written) == list(COMMITS[1::-1])


@pytest.mark.parametrize(
    ("range_spec", "expected"),
    [
        ("v0.57..main", COMMITS[::-1]),
        ("v0.57.0..bbbb", COMMITS[1::-1]),
        ("0.58.0", COMMITS[::-1]),
        ("0.58..main", COMMITS[2:]),
    ],
)
def test_a_range_has_both_ends_newest_first(history, range_spec, expected):
    """Names are read as everywhere in Fixwatch."""
    assert history.get_hashes_from_range(range_spec) == list(expected)


@pytest.mark.parametrize("range_spec", ["v0.99..main", "main..v0.99", "", "nope"])
def test_an_unknown_name_is_one_line(history, range_spec):
    """It is of both classes that asv looks for."""
    with pytest.raises(UserError, match="no revision '.*' of numba was measured") as caught:
        history.get_hashes_from_range(range_spec)
    assert isinstance(caught.value, NoSuchNameError)


def test_the_beginning_of_two_hashes_names_neither():
    """Guessing would publish another range than was meant."""
    revisions = (new_revision("aa" + "0" * 38, "x"), new_revision("ab" + "0" * 38, "y"))
    history = PublishedHistory(PublishedBranch("main", revisions), "numba")
    with pytest.raises(UserError, match="no revision 'a'"):
        history.get_hash_from_name("a")


def test_only_versions_are_tags(history):
    """A short hash is none, and nor is what anybody may write: asv puts tags into HTML."""
    revisions = (
        new_revision(COMMITS[0], "0.57.0"),
        new_revision(COMMITS[1], "<script>alert(1)</script>"),
        new_revision("12345678" + "0" * 32, "12345678"),
    )
    tags = PublishedHistory(PublishedBranch("main", revisions), "numba").get_tags()
    assert tags == {"0.57.0": COMMITS[0]}


def test_revisions_are_numbered_in_the_order_of_the_branch(history):
    """asv draws them in that order; what is not on the branch has no number."""
    assert list(history.get_revisions({COMMITS[2], COMMITS[0], "d" * 40}).items()) == [
        (COMMITS[0], 0),
        (COMMITS[2], 2),
    ]
    assert history.get_date_from_name("0.57.0") == 1704067200000


def test_a_branch_is_what_is_listed_and_what_was_measured():
    """A commit that is not listed stands where its date is, and is named."""
    rows = tuple(
        ListedCommit(
            commit=commit,
            name=commit[:8],
            date=f"2024-01-0{day}",
            is_on_branch=True,
            reasons=("-",),
        )
        for commit, day in zip(COMMITS, (1, 5, 9), strict=True)
    )
    records = [
        new_record("bbbbbbbb", commit=COMMITS[1], source="commits", date="2024-01-05"),
        new_record("dddddddd", commit="d" * 40, source="commits", date="2024-01-06"),
    ]
    order = RevisionOrder((), {"numba": Listing("numba", rows)})
    branch = find_branch("main", "numba", "commits", records, order)
    assert [revision.commit[0] for revision in branch.revisions] == ["a", "b", "d", "c"]
    assert branch.unlisted == ["dddddddd"]


def test_releases_stand_in_the_order_of_their_versions():
    """A late maintenance release does not come after what was newer before."""
    records = [
        new_record("0.58.0", date="2024-01-02"),
        new_record("0.57.1", date="2024-01-09"),
        new_record("0.26.0", upstream="numba-cuda"),
    ]
    branch = find_branch("main", "numba", "releases", records, RevisionOrder())
    assert [revision.name for revision in branch.revisions] == ["0.57.1", "0.58.0"]
    assert branch.unlisted == []
