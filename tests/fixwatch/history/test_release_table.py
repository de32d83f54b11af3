"""The table of releases: refreshing appends, and the selection is what the dashboard promises."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

import pytest
from packaging.version import Version

from fixwatch.errors import FixwatchError
from fixwatch.history.release_table import (
    Release,
    load_release_table,
    refresh_release_table,
    save_release_table,
    select_dashboard_releases,
)


def release(version, day, upstream="numba", **overrides):
    """Return a release of May 2023."""
    uploaded_at = datetime(2023, 5, day, 12, 30, tzinfo=timezone.utc)
    values = {"wheel_tags": ("cp311-cp311-win_amd64",), "is_yanked": False, **overrides}
    return Release(upstream=upstream, version=version, uploaded_at=uploaded_at, **values)


def test_the_committed_table_has_the_known_releases():
    """The table states facts that anybody can look up on the index."""
    table = {(row.upstream, row.version): row for row in load_release_table()}
    assert table["numba-cuda", "0.26.0"].uploaded_at.date().isoformat() == "2026-01-30"
    assert table["numba-cuda", "0.19.2"].uploaded_at > table["numba-cuda", "0.24.0"].uploaded_at
    assert ("numba-cuda", "0.25.0") not in table
    assert min(row.parsed_version for row in table.values() if row.upstream == "numba") == Version(
        "0.57.0"
    )
    assert not any(row.parsed_version.is_prerelease for row in table.values())


def test_the_table_survives_the_disk(tmp_path):
    """Writing and reading is the identity, yanked rows included."""
    table = [release("0.57.0", 2), release("0.57.1", 3, is_yanked=True)]
    save_release_table(table, tmp_path / "t.json")
    assert load_release_table(tmp_path / "t.json") == table


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", json.dumps({"version": 2, "releases": []}), '{"version": 1}']
)
def test_a_damaged_table_is_one_clear_line(tmp_path, content):
    """The message names the file that is damaged."""
    path = tmp_path / "t.json"
    path.write_text(content)
    with pytest.raises(FixwatchError, match=r"t\.json: "):
        load_release_table(path)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ([{}, {}], "numba 0.57.0 is there 2 times"),
        ([{}, {"version": "0.57"}], "numba 0.57.0 is there 2 times"),
        ([{"version": "1..2"}], "Invalid version"),
        ([{"uploaded_at": "2023-05-02T16:38:54"}], "timezone"),
        ([{"uploaded_at": "0001-01-01T00:00:00Z"}], "greater than or equal to"),
    ],
)
def test_a_table_that_cannot_be_says_why(tmp_path, changes, reason):
    """What orders a history is not guessed."""
    row = {
        "upstream": "numba",
        "version": "0.57.0",
        "uploaded_at": "2023-05-02T16:38:54Z",
        "wheel_tags": [],
    }
    rows = [{**row, **change} for change in changes]
    (tmp_path / "t.json").write_text(json.dumps({"version": 1, "releases": rows}))
    with pytest.raises(FixwatchError, match=reason):
        load_release_table(tmp_path / "t.json")


def test_refreshing_only_appends():
    """Known rows keep place and date, take new wheels and yanks; new ones come by date."""
    known = [release("0.57.0", 2), release("0.58.0", 9)]
    found = [
        release("0.59.0", 20),
        release("0.57.1", 4),  # found late: appended, though older than the last row
        release("0.58.0", 10, is_yanked=True),
        release("0.57.0", 1, wheel_tags=("cp312-cp312-win_amd64",)),
        release("0.60.0", 21, is_yanked=True),  # yanked before anybody knew it: left out
    ]
    refreshed = refresh_release_table(known, found)
    assert [row.version for row in refreshed] == ["0.57.0", "0.58.0", "0.57.1", "0.59.0"]
    assert refreshed[0] == replace(known[0], wheel_tags=("cp312-cp312-win_amd64",))
    assert refreshed[1] == replace(known[1], is_yanked=True)
    assert refresh_release_table(refreshed, found) == refreshed


def test_a_release_that_vanished_from_the_index_keeps_its_row():
    """The history does not change behind what was measured."""
    known = [release("0.57.0", 2)]
    assert refresh_release_table(known, []) == known


def test_dependencies_count_until_the_end_of_the_upload_day():
    """A moment at noon gives midnight after it, in UTC."""
    assert release("0.57.0", 2).resolved_as_of == datetime(2023, 5, 3, tzinfo=timezone.utc)


def test_wheel_tags_decide_for_which_python_there_is_a_wheel():
    """A pure wheel fits any version, a platform wheel its own, on this platform."""
    pure = release("0.57.0", 2, wheel_tags=("py3-none-any",))
    foreign = release("0.57.0", 2, wheel_tags=("cp311-cp311-no_such_platform",))
    assert pure.has_wheel_for((3, 14))
    assert not foreign.has_wheel_for((3, 11))
    table = {(row.upstream, row.version): row for row in load_release_table()}
    assert not table["numba", "0.57.1"].has_wheel_for((3, 12))


def test_the_selection_holds_what_the_dashboard_promises():
    """The newest patch of each numba series, and about ten of numba-cuda around the fix."""
    chosen = select_dashboard_releases(load_release_table())
    numba = [row.version for row in chosen if row.upstream == "numba"]
    numba_cuda = [row.version for row in chosen if row.upstream == "numba-cuda"]
    assert len({row.minor_series for row in chosen if row.upstream == "numba"}) == len(numba)
    assert {"0.57.1", "0.61.2"} <= set(numba)
    assert {"0.0.15", "0.24.0", "0.26.0"} <= set(numba_cuda)
    newest = max(
        (row for row in load_release_table() if row.upstream == "numba-cuda"),
        key=lambda row: row.parsed_version,
    )
    assert newest.version in numba_cuda
    assert 8 <= len(numba_cuda) <= 14


def test_yanked_releases_are_never_selected():
    """The newest patch that is not yanked stands for its series."""
    table = [release("0.57.0", 2), release("0.57.1", 3, is_yanked=True)]
    assert [row.version for row in select_dashboard_releases(table)] == ["0.57.0"]
