"""Mirrors of a real repository: what is measured of it, in which order, and by which names."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from fixwatch.errors import FixwatchError
from fixwatch.history.mirror import UpstreamMirror
from fixwatch.history.revision_names import UnknownRevisionError


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
    """Return the mirror of a small numba, whose tags have no v, and commits by what they touch."""
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
    return UpstreamMirror(f"{source}/.git", "numba", print), commits


def select(mirror, range_spec, **options):
    """Return the commits of a range that are measured."""
    return list(mirror.select_from_range(range_spec, **options))


def test_only_relevant_commits_of_a_real_repository_are_listed(upstream):
    """Tests and the rest of numba are passed over; a release beside the branch is not."""
    mirror, commits = upstream
    listed = select(mirror, "v0.57..main")
    assert listed == [commits[name] for name in ("last", "release", "cuda", "first")]


def test_the_filter_can_be_lifted(upstream, monkeypatch):
    """The caller can ask for every commit, and so can the environment."""
    mirror, commits = upstream
    everything = [commits[name] for name in ("last", "tests", "cuda", "other", "first")]
    assert select(mirror, "v0.57..main", relevant_only=False) == everything
    monkeypatch.setenv("FIXWATCH_ALL_COMMITS", "1")
    assert select(mirror, "v0.57..main") == everything


def test_a_single_commit_is_measured_whatever_it_touches(upstream):
    """Who names a commit wants that one."""
    mirror, commits = upstream
    assert select(mirror, f"{commits['tests']}^!") == [commits["tests"]]


@pytest.mark.parametrize("name", ["v0.57", "0.57", "v0.57.0", "0.57.0"])
def test_release_numbers_name_tags(upstream, name):
    """A release number may have a v or not, and a series stands for its first release."""
    mirror, commits = upstream
    assert mirror.resolve(name) == commits["first"]


def test_ranges_have_their_lower_end(upstream):
    """Names in a range are resolved where they stand, and git's a..b gets its a."""
    mirror, commits = upstream
    everything = [commits[name] for name in ("last", "tests", "cuda", "other", "first")]
    assert mirror.resolve_range("v0.57..main") == mirror.resolve_range("main") == everything
    assert mirror.resolve_range("v0.57.1^!") == [commits["release"]]
    assert mirror.resolve_range("main~2..main") == everything[:3]


@pytest.mark.parametrize("option", ["--output=kept", "--exec=x", "-Gx", "--stdin"])
def test_options_that_do_not_choose_commits_are_refused(upstream, tmp_path, option):
    """Git would write into any file that a range of revisions names."""
    mirror, commits = upstream
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(UnknownRevisionError, match="is no option of a range"):
        mirror.resolve_range(f"{option} main")
    assert (tmp_path / "kept").read_text() == "kept"
    assert mirror.resolve_range("-n1 main") == [commits["last"]]


def test_the_hint_prefers_a_final_release(upstream):
    """A release candidate is not the newest release."""
    mirror, _ = upstream
    with pytest.raises(UnknownRevisionError, match=r"the newest release tag is 0\.57\.1\."):
        mirror.resolve("v0.99")


def test_an_option_is_no_revision(upstream):
    """A name that looks like an option of git is not taken for one."""
    mirror, _ = upstream
    with pytest.raises(UnknownRevisionError):
        mirror.resolve("--all")


@pytest.mark.parametrize(
    "range_spec", ["main", "..main", "--all..main", "^0.57..main", "a b..main"]
)
def test_a_search_takes_two_ends_and_nothing_else(upstream, range_spec):
    """Whatever else git would read as a range is refused in one line."""
    mirror, _ = upstream
    with pytest.raises(FixwatchError, match=r"^range .* is not of the form A\.\.B|no revision 'a'"):
        mirror.list_range(range_spec, relevant_only=True)


def test_the_plan_says_what_a_commit_touches(upstream):
    """The reasons are read from the repository itself."""
    mirror, commits = upstream
    reasons = mirror.select_from_range("v0.57..main")
    assert reasons[commits["cuda"]] == (
        "touches the built-in CUDA target (numba/cuda/simulator/kernel.py)",
    )
    assert reasons[commits["release"]] == ("release 0.57.1",)


def test_the_history_is_listed_in_the_order_of_the_branch(upstream):
    """Releases beside it stand by their date, what was asked for where it belongs."""
    mirror, commits = upstream
    listing = mirror.list_history("main", [commits["other"]])
    names = {commit: name for name, commit in commits.items()}
    assert [(names[listed.commit], listed.is_on_branch) for listed in listing.commits] == [
        ("first", True),
        ("other", True),
        ("cuda", True),
        ("release", False),
    ]
    assert [listed.name for listed in listing.commits][::3] == ["0.57.0", "0.57.1"]
    assert listing.commits[1].reasons == ()


def test_a_version_names_a_commit_before_any_other_tag(upstream, tmp_path):
    """Whoever can tag cannot make a release look like none."""
    mirror, commits = upstream
    git(tmp_path / "source", "tag", "0.57.1-a-longer-name", commits["release"])
    git(tmp_path / "source", "tag", "only-name", commits["cuda"])
    mirror.pull(print)
    assert mirror.name_commit(commits["release"]) == "0.57.1"
    assert mirror.name_commit(commits["cuda"]) == "only-name"
    assert mirror.name_commit(commits["tests"]) == commits["tests"][:8]


def test_an_upstream_that_is_gone_leaves_what_was_fetched(upstream, tmp_path):
    """Pulling says that upstream cannot be reached, and the mirror goes on serving."""
    mirror, commits = upstream
    (tmp_path / "source").rename(tmp_path / "elsewhere")
    lines = []
    mirror.pull(lines.append)
    assert lines == ["upstream cannot be reached; going on with the commits fetched before"]
    assert mirror.resolve("main") == commits["last"]


def test_the_users_own_settings_say_where_upstream_is(upstream, tmp_path, monkeypatch):
    """With url.<path>.insteadOf in the user's settings a local clone stands for the public one."""
    _, commits = upstream
    settings = tmp_path / "gitconfig"
    public = "https://nowhere.invalid/numba.git"
    settings.write_text(f'[url "{tmp_path}/source/.git"]\ninsteadOf = {public}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert UpstreamMirror(public, "numba", print).resolve("main") == commits["last"]


def test_a_clone_that_was_killed_is_not_taken_for_a_mirror(upstream, tmp_path):
    """What a killed clone left is removed, and the mirror is made anew."""
    _, commits = upstream
    mirrors = tmp_path / ".fixwatch" / "mirrors"
    (mirrors / "numba").rename(mirrors / "numba.cloning-killed")
    shutil.rmtree(mirrors / "numba.cloning-killed" / "refs")
    # A young one might be another run's, at work.
    os.utime(mirrors / "numba.cloning-killed", (0, 0))
    again = UpstreamMirror(f"{tmp_path}/source/.git", "numba", print)
    assert again.resolve("v0.57") == commits["first"]
    assert [path.name for path in mirrors.iterdir()] == ["numba"]
