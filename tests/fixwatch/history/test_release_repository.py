"""The table of releases as a repository: its hashes, branches and tags."""

from __future__ import annotations

import subprocess
from datetime import datetime, timezone

from fixwatch.history.release_repository import build_release_repository, read_release_commits
from fixwatch.history.release_table import Release


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
    config.write_text(
        "[user]\nname = X\nemail = x@y\n[init]\ndefaultBranch = trunk\n"
        "[i18n]\ncommitEncoding = latin1\n"
    )
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
    """Each upstream has a branch in the order of uploads, and each commit its upload's date."""
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
