"""Which commits are measured: those that can change the result, the releases, and both ends."""

from __future__ import annotations

import subprocess

import pytest

from fixwatch.asv_adapter.repositories import AllUpstreamCommits, UpstreamCommits
from fixwatch.history.relevance import explain_relevance, select_commits

ORDER = {name: float(number) for number, name in enumerate("abcdefg")}


def select(touching="", releases=None):
    """Select from the commits a to e."""
    selected = select_commits(
        list("edcba"), dict.fromkeys(touching, "touches x"), releases or {}, ORDER
    )
    return {each.commit: each.reasons for each in selected}


def test_both_ends_are_measured_whatever_they_touch():
    """A range is never empty, and says where it begins and ends."""
    assert select() == {"e": ("end of the range",), "a": ("end of the range",)}


def test_commits_that_touch_a_path_are_measured_newest_first():
    """With the reason."""
    selected = select("bd")
    assert list(selected) == ["e", "d", "b", "a"]
    assert selected["b"] == ("touches x",)


def test_releases_made_beside_the_branch_are_measured_if_made_within_the_range():
    """f stands on a branch of its own and is newer than the range; c lies within."""
    assert list(select(releases={"c": "1.0", "f": "2.0"})) == ["e", "c", "a"]


def test_a_commit_has_all_its_reasons():
    """An end that is a release and touches a path says so."""
    selected = select("a", {"a": "0.57.0"})
    assert selected["a"] == ("end of the range", "touches x", "release 0.57.0")


def test_an_empty_range_selects_nothing():
    """Nothing is no commit."""
    assert select_commits([], {}, {}, {}) == []


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["numba_cuda/numba/cuda/simulator/kernelapi.py"], "the simulator"),
        (["docs/x.py", "numba_cuda/numba/cuda/types/ext_types.py"], "imported by a launch"),
        (["numba_cuda/numba/cuda/types.py"], "imported by a launch"),
        (["pyproject.toml"], "dependencies and build"),
        (["numba_cuda/numba/cuda/simulator/tests/x.py"], None),
        (["numba_cuda/numba/cuda/codegen.py", "tests/pyproject.toml"], None),
        # A name that begins like a folder is not in it.
        (["numba_cuda/numba/cuda/simulator_tools.py"], None),
    ],
)
def test_what_a_commit_touches_is_said(files, expected):
    """The part of the tree, and its first file."""
    explanation = explain_relevance("numba-cuda", files)
    if expected is None:
        assert explanation is None
    else:
        assert explanation.startswith(f"touches {expected}")
        assert files[-1] in explanation


def git(folder, *arguments, date="2023-05-01T00:00:00Z"):
    """Run git with fixed dates and return its output."""
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin:/usr/local/bin", "GIT_COMMITTER_DATE": date, "HOME": "/"},
    )
    return done.stdout.strip()


def commit(folder, file, day):
    """Commit a change of a file; return the commit."""
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{day}\n")
    git(folder, "add", "-A")
    git(folder, "commit", "-q", "-m", f"day {day}", date=f"2023-05-{day:02}T00:00:00Z")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def upstream(tmp_path, monkeypatch):
    """Return a small numba: its address, and its commits by what they touch."""
    source = tmp_path / "source"
    source.mkdir()
    git(source, "init", "-q", "-b", "main")
    commits = {"first": commit(source, "setup.py", 1)}
    git(source, "tag", "0.57.0")
    commits["other"] = commit(source, "numba/core/x.py", 2)
    commits["cuda"] = commit(source, "numba/cuda/simulator/kernel.py", 3)
    commits["tests"] = commit(source, "numba/cuda/tests/test_x.py", 4)
    git(source, "checkout", "-q", "-b", "release")
    commits["release"] = commit(source, "numba/version.py", 5)
    git(source, "tag", "0.57.1")
    git(source, "tag", "0.58.0rc1", commits["other"])
    git(source, "checkout", "-q", "main")
    commits["last"] = commit(source, "README", 6)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FIXWATCH_ALL_COMMITS", raising=False)
    return f"{source}/.git", commits


def test_only_relevant_commits_of_a_real_repository_are_listed(upstream):
    """Tests and the rest of numba are passed over; a release beside the branch is not."""
    url, commits = upstream
    listed = UpstreamCommits(url, "numba").get_hashes_from_range("v0.57..main")
    assert listed == [commits[name] for name in ("last", "release", "cuda", "first")]


def test_the_filter_can_be_lifted(upstream, monkeypatch):
    """By the configuration's repository kind, or by the environment."""
    url, commits = upstream
    everything = [commits[name] for name in ("last", "tests", "cuda", "other", "first")]
    assert AllUpstreamCommits(url, "numba").get_hashes_from_range("v0.57..main") == everything
    monkeypatch.setenv("FIXWATCH_ALL_COMMITS", "1")
    assert UpstreamCommits(url, "numba").get_hashes_from_range("v0.57..main") == everything


def test_a_single_commit_is_measured_whatever_it_touches(upstream):
    """Who names a commit wants that one."""
    url, commits = upstream
    repository = UpstreamCommits(url, "numba")
    assert repository.get_hashes_from_range(f"{commits['tests']}^!") == [commits["tests"]]


def test_a_branch_has_all_its_commits(upstream):
    """asv looks up there where a result belongs."""
    url, commits = upstream
    listed = UpstreamCommits(url, "numba").get_branch_commits("main")
    assert len(listed) == 5
    assert commits["other"] in listed


def test_the_plan_says_what_a_commit_touches(upstream):
    """Read from the repository itself."""
    url, commits = upstream
    selected = UpstreamCommits(url, "numba").select_from_range("v0.57..main")
    reasons = {each.commit: each.reasons for each in selected}
    assert reasons[commits["cuda"]] == (
        "touches the built-in CUDA target (numba/cuda/simulator/kernel.py)",
    )
    assert reasons[commits["release"]] == ("release 0.57.1",)


def test_the_history_is_listed_in_the_order_of_the_branch(upstream):
    """Releases beside it stand by their date, what was asked for where it belongs."""
    url, commits = upstream
    repository = UpstreamCommits(url, "numba")
    listing = repository.list_history("main", [commits["other"]])
    names = {commit: name for name, commit in commits.items()}
    assert [(names[each.commit], each.is_on_branch) for each in listing.commits] == [
        ("first", True),
        ("other", True),
        ("cuda", True),
        ("release", False),
    ]
    assert [each.name for each in listing.commits][::3] == ["0.57.0", "0.57.1"]
    assert listing.commits[1].reasons == ()


def test_a_version_names_a_commit_before_any_other_tag(upstream, tmp_path):
    """Else whoever can tag could make a release look like none."""
    url, commits = upstream
    git(tmp_path / "source", "tag", "0.57.1-a-longer-name", commits["release"])
    git(tmp_path / "source", "tag", "only-name", commits["cuda"])
    repository = UpstreamCommits(url, "numba")
    assert repository.get_exact_tag(commits["release"]) == "0.57.1"
    assert repository.get_exact_tag(commits["cuda"]) == "only-name"
    assert repository.get_exact_tag(commits["tests"]) is None
