"""What asv gets from the histories: commits of ranges, and errors that it prints in one line."""

from __future__ import annotations

import pytest
from asv.repo import NoSuchNameError
from asv.util import ProcessError, UserError

from fixwatch.asv_adapter.repositories import AllUpstreamCommits, ReleaseHistory, UpstreamCommits
from fixwatch.history.release_repository import read_release_commits
from fixwatch.history.release_table import load_release_table, save_release_table
from tests.fixwatch.commands.judge.trees import git
from tests.subjects.small_numba import create_small_numba


@pytest.fixture
def releases(tmp_path, monkeypatch):
    """Return the committed table as asv's repository, in an empty folder."""
    table = load_release_table()
    monkeypatch.chdir(tmp_path)
    save_release_table(table, tmp_path / "releases.json")
    return ReleaseHistory("releases.json", "numba-releases")


@pytest.fixture
def url(tmp_path, monkeypatch):
    """Return the address of the small upstream."""
    create_small_numba(tmp_path / "small-numba")
    monkeypatch.chdir(tmp_path)
    return f"{tmp_path}/small-numba/.git"


def test_a_range_of_releases_includes_both_ends(releases):
    """The range v0.57..main begins with 0.57.0 and ends with the newest, newest first."""
    hashes = releases.get_hashes_from_range("v0.57..main")
    commits = read_release_commits()
    versions = [commits[commit][1] for commit in hashes]
    assert versions[-1] == "0.57.0"
    assert (
        versions[0] == [row for row in load_release_table() if row.upstream == "numba"][-1].version
    )
    assert len(versions) == len(set(versions))


@pytest.mark.parametrize("range_spec", ["v0.99..main", "main..v0.99", "nope", "^nope main"])
def test_an_unknown_revision_is_one_line(releases, range_spec):
    """The line names the revision and the newest release; asv prints a UserError and no more."""
    with pytest.raises(UserError) as caught:
        releases.get_hashes_from_range(range_spec)
    assert isinstance(caught.value, NoSuchNameError)
    assert "no revision '" in str(caught.value)
    assert "the newest release tag is v0." in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_range_that_git_cannot_read_is_one_line(releases):
    """An option that no range has reaches asv as a UserError with the reason."""
    with pytest.raises(UserError, match="range '--nonsense main': '--nonsense' is no option"):
        releases.get_hashes_from_range("--nonsense main")


def test_asv_measures_the_relevant_commits_unless_configured_otherwise(url):
    """The configuration's repository kind lifts the filter; a branch has all its commits."""
    relevant, every = UpstreamCommits(url, "numba"), AllUpstreamCommits(url, "numba")
    in_branch = relevant.get_branch_commits("main")
    assert every.get_hashes_from_range("main") == in_branch
    assert set(relevant.get_hashes_from_range("main")) < set(in_branch)


def test_what_asv_asks_of_git_itself_is_answered(url):
    """Dates and names of commits come from asv's own methods, and tags are there for its graphs."""
    repository = UpstreamCommits(url, "numba")
    commit = repository.get_hash_from_name("main")
    date_ms = repository.mirror.get_committer_date(commit).timestamp() * 1000
    assert repository.get_date(commit) == date_ms
    assert repository.get_decorated_hash(commit) == f"{commit[:8]} <0.59.0>"
    assert repository.get_tags().keys() == {"0.57.0", "0.58.0", "0.59.0"}
    assert repository.get_tags()["0.59.0"] == commit


def test_what_is_new_is_fetched_once_a_run(url, tmp_path):
    """The history does not move while a run measures it."""
    upstream, repository = tmp_path / "small-numba", UpstreamCommits(url, "numba")
    for name in ("new", "newer"):
        git(upstream, "commit", "-q", "--allow-empty", "-m", name)
        repository.pull()
    assert repository.get_hash_from_name("main") == git(upstream, "rev-parse", "main~1")


def test_a_work_tree_has_the_files_of_a_commit_and_no_others(url, tmp_path):
    """One that a killed git left locked is made anew, and an unknown commit fails like a build."""
    repository = UpstreamCommits(url, "numba")
    commit = repository.get_hash_from_name("main")
    for _ in range(2):
        repository.checkout(str(tmp_path / "tree"), commit)
        (tmp_path / "tree" / "left-over").write_text("")
        (tmp_path / "tree" / ".git" / "index.lock").write_text("")
    repository.checkout(str(tmp_path / "tree"), commit)
    assert (tmp_path / "tree" / "setup.py").is_file()
    assert not (tmp_path / "tree" / "left-over").exists()
    with pytest.raises(ProcessError):
        repository.checkout(str(tmp_path / "tree"), "0" * 40)


def test_an_upstream_that_cannot_be_cloned_is_one_line(tmp_path, monkeypatch):
    """The message names the address."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"cannot clone .*nowhere"):
        UpstreamCommits(str(tmp_path / "nowhere.git"), "numba")
