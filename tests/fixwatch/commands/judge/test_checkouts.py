"""What can be judged, and one line for each thing that cannot."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fixwatch.commands.judge.checkouts import find_checkout
from fixwatch.errors import FixwatchError
from fixwatch.history.revision_names import UnknownRevisionError
from tests.fixwatch.commands.judge.trees import create_tree, git
from tests.project import ROOT


@pytest.fixture
def tree(tmp_path):
    """Return a checkout."""
    return create_tree(tmp_path / "tree")


def refuse(path):
    """Return the line that refuses a path, which must be one."""
    with pytest.raises(FixwatchError) as raised:
        find_checkout(path)
    assert raised.value.exit_status == 2
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_folder_in_a_checkout_stands_for_it(tree):
    """The top folder is found from a folder below it."""
    (tree / "below").mkdir()
    found = find_checkout(tree / "below")
    assert (found.folder, found.upstream) == (tree, "numba")
    assert found.head == git(tree, "rev-parse", "HEAD")


def test_a_linked_work_tree_is_a_checkout(tree, tmp_path):
    """Its own head and files count; the objects are those of the repository."""
    git(tree, "worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    found = find_checkout(tmp_path / "linked")
    assert found.folder == tmp_path / "linked"
    assert found.find_git_path("objects") == tree / ".git" / "objects"


def test_another_repository_in_the_environment_is_not_meant(tree, tmp_path, monkeypatch):
    """GIT_DIR is set in a hook of git's, and does not say what is judged."""
    other = create_tree(tmp_path / "other", "numba-cuda")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert find_checkout(tree).upstream == "numba"


def test_what_is_no_checkout_is_refused(tmp_path):
    """The line says of a missing folder, a file and a plain folder what each is."""
    assert "no such folder" in refuse(tmp_path / "missing")
    (tmp_path / "file").write_text("")
    assert "a file" in refuse(tmp_path / "file")
    (tmp_path / "plain").mkdir()
    assert "not a git checkout" in refuse(tmp_path / "plain")


def test_a_bare_repository_is_refused(tree, tmp_path):
    """A bare repository has no files to judge."""
    git(tree, "clone", "-q", "--bare", str(tree), str(tmp_path / "bare"))
    assert "has no files checked out" in refuse(tmp_path / "bare")


def test_a_repository_without_a_commit_is_refused(tmp_path):
    """Without a commit there is no date to take dependencies of."""
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "-q")
    assert "has no commit yet" in refuse(tmp_path / "new")


def test_another_project_is_refused(tmp_path):
    """The line names the project that it is."""
    line = refuse(create_tree(tmp_path / "tree", "scipy"))
    assert "names scipy; give a checkout of numba or numba-cuda" in line


def test_revisions_by_tag_number_branch_and_hash(tree):
    """A revision has the names that ranges of asv take; for an unknown one there is a hint."""
    found = find_checkout(tree)
    for name in ("0.1.0", "v0.1.0", "v0.1", "main", found.head[:8], "HEAD"):
        assert found.resolve(name) == found.head
    for name in ("v0.99", "--all", ""):
        with pytest.raises(UnknownRevisionError, match=r"newest release tag is 0\.1\.0"):
            found.resolve(name)
    assert found.name_commit(found.head) == "0.1.0"


def test_without_git_one_line_says_so(tree, tmp_path):
    """The command exits with 2 and prints what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "fixwatch", "judge", str(tree)],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == ("fixwatch: git is not installed, or not on the PATH; install it\n")
