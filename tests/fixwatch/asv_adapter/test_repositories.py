"""The releases as a repository, and names of revisions in it and in upstream's."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime, timezone

import pytest
from asv.util import UserError

from fixwatch.asv_adapter.release_repository import (
    ReleaseHistory,
    build_release_repository,
    read_release_commits,
)
from fixwatch.asv_adapter.repositories import UpstreamCommits
from fixwatch.history.release_table import Release, load_release_table, save_release_table
from fixwatch.history.revision_names import UnknownRevisionError

TABLE = "fixwatch/history/releases.json"


def git(folder, *arguments):
    """Run git and return its output."""
    return subprocess.run(
        ["git", "-C", str(folder), *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def release(upstream, version, day):
    """Return a release of May 2023."""
    uploaded_at = datetime(2023, 5, day, tzinfo=timezone.utc)
    return Release(upstream=upstream, version=version, uploaded_at=uploaded_at, wheel_tags=())


SHORT = [
    release("numba", "0.57.0", 1),
    release("numba-cuda", "0.24.0", 2),
    release("numba", "0.57.1", 3),
    release("numba-cuda", "0.19.2", 4),
]


def test_the_same_table_gives_the_same_hashes(tmp_path):
    """These hashes are what results are filed under; they must never change."""
    build_release_repository(SHORT, tmp_path / "r")
    assert git(tmp_path / "r", "rev-parse", "main") == "549eda7a5fe791a97ed1e35b73d31ed18e41557b"
    assert git(tmp_path / "r", "rev-parse", "numba-cuda") == (
        "4e1c5ca1d5d541995387d149f16b9345a0d95200"
    )


def test_hashes_do_not_depend_on_the_users_git(tmp_path, monkeypatch):
    """Names, dates and defaults of the user's configuration do not come in."""
    build_release_repository(SHORT, tmp_path / "a")
    config = tmp_path / "gitconfig"
    config.write_text("[user]\nname = X\nemail = x@y\n[init]\ndefaultBranch = trunk\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00Z")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    build_release_repository(SHORT, tmp_path / "b")
    refs = [git(tmp_path / name, "show-ref") for name in ("a", "b")]
    assert refs[0] == refs[1]


def test_a_longer_table_keeps_the_hashes(tmp_path):
    """A new release appends; what was measured stays found, and new wheels change nothing."""
    build_release_repository(SHORT, tmp_path / "r")
    before = read_release_commits(tmp_path / "r")
    longer = [*SHORT, release("numba", "0.58.0", 5)]
    build_release_repository(longer, tmp_path / "r")
    after = read_release_commits(tmp_path / "r")
    assert before.items() < after.items()
    assert set(after.values()) - set(before.values()) == {("numba", "0.58.0")}


def test_one_commit_a_release_dated_by_its_upload(tmp_path):
    """Branches by upstream, in upload order, each commit with the upload's date."""
    build_release_repository(SHORT, tmp_path / "r")
    log = git(tmp_path / "r", "log", "--format=%s %cI %aI", "numba-cuda").splitlines()
    assert log == [
        "numba-cuda 0.19.2 2023-05-04T00:00:00+00:00 2023-05-04T00:00:00+00:00",
        "numba-cuda 0.24.0 2023-05-02T00:00:00+00:00 2023-05-02T00:00:00+00:00",
    ]


def test_tags_name_releases_and_the_first_of_a_series(tmp_path):
    """v0.57 is the first release of its series; numba-cuda's tags carry its name."""
    build_release_repository(SHORT, tmp_path / "r")
    tags = git(tmp_path / "r", "tag").split()
    assert set(tags) == {
        "v0.57",
        "v0.57.0",
        "v0.57.1",
        "numba-cuda-v0.24",
        "numba-cuda-v0.24.0",
        "numba-cuda-v0.19",
        "numba-cuda-v0.19.2",
    }
    assert git(tmp_path / "r", "rev-parse", "v0.57") == git(tmp_path / "r", "rev-parse", "v0.57.0")


@pytest.fixture
def history(tmp_path, monkeypatch):
    """Return the committed table as asv's repository, in an empty folder."""
    table = load_release_table()
    monkeypatch.chdir(tmp_path)
    save_release_table(table, tmp_path / "releases.json")
    return ReleaseHistory("releases.json", "numba-releases")


def test_a_range_includes_both_ends(history):
    """v0.57..main begins with 0.57.0 and ends with the newest, newest first."""
    hashes = history.get_hashes_from_range("v0.57..main")
    commits = read_release_commits()
    versions = [commits[commit][1] for commit in hashes]
    assert versions[-1] == "0.57.0"
    assert (
        versions[0] == [row for row in load_release_table() if row.upstream == "numba"][-1].version
    )
    assert len(versions) == len(set(versions))


@pytest.mark.parametrize("range_spec", ["v0.99..main", "main..v0.99", "nope", "^nope main"])
def test_an_unknown_revision_is_one_line(history, range_spec):
    """It names the revision, the newest release tag, and what to do; asv prints UserError so."""
    with pytest.raises(UnknownRevisionError) as caught:
        history.get_hashes_from_range(range_spec)
    assert isinstance(caught.value, UserError)
    assert "no revision '" in str(caught.value)
    assert "the newest release tag is v0." in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """Return the mirror of a small repository whose tags have no v, as numba's."""
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main")
    for number, tag in enumerate(["0.57.0", "0.57.1", "0.58.0rc1", None]):
        git(
            source,
            *("-c", "user.name=n", "-c", "user.email=e"),
            *("commit", "-q", "--allow-empty", "-m", f"commit {number}"),
        )
        if tag:
            git(source, "tag", tag)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIXWATCH_ALL_COMMITS", "1")
    return UpstreamCommits(str(source) + "/.git", "numba")


@pytest.mark.parametrize("name", ["v0.57", "0.57", "v0.57.0", "0.57.0"])
def test_release_numbers_name_tags(upstream, tmp_path, name):
    """With or without v, and a series for its first release."""
    assert upstream.get_hash_from_name(name) == git(tmp_path / "source", "rev-parse", "0.57.0")


def test_ranges_of_upstream_commits(upstream, tmp_path):
    """The names in a range are resolved where they stand."""
    source = tmp_path / "source"
    everything = git(source, "rev-list", "main").split()
    assert upstream.get_hashes_from_range("v0.57..main") == everything
    assert upstream.get_hashes_from_range("v0.57.1^!") == [git(source, "rev-parse", "0.57.1")]
    assert upstream.get_hashes_from_range("main~2..main") == everything[:3]
    assert upstream.get_exact_tag(everything[-1]) == "0.57.0"
    assert upstream.get_exact_tag(everything[0]) is None


def test_the_hint_prefers_a_final_release(upstream):
    """A release candidate is not the newest release."""
    with pytest.raises(UnknownRevisionError, match="the newest release tag is 0.57.1"):
        upstream.get_hash_from_name("v0.99")


def test_an_option_is_no_revision(upstream):
    """A name that looks like an option of git is not taken for one."""
    with pytest.raises(UnknownRevisionError):
        upstream.get_hash_from_name("--all")


def test_a_clone_that_was_killed_is_not_taken_for_a_mirror(upstream, tmp_path):
    """What a killed clone left is removed, and the mirror is made anew."""
    mirrors = tmp_path / ".fixwatch" / "mirrors"
    (mirrors / "numba").rename(mirrors / "numba.cloning-killed")
    shutil.rmtree(mirrors / "numba.cloning-killed" / "refs")
    # A young one might be another run's, at work.
    os.utime(mirrors / "numba.cloning-killed", (0, 0))
    again = UpstreamCommits(str(tmp_path / "source") + "/.git", "numba")
    assert again.get_hash_from_name("v0.57") == git(tmp_path / "source", "rev-parse", "0.57.0")
    assert [path.name for path in mirrors.iterdir()] == ["numba"]


def test_an_upstream_that_cannot_be_cloned_is_one_line(tmp_path, monkeypatch):
    """The message names the address."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"cannot clone .*nowhere"):
        UpstreamCommits(str(tmp_path / "nowhere.git"), "numba")
