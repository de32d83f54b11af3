"""The environment that every call of git gets."""

from __future__ import annotations

import pytest

from fixwatch.git import GitError, check_out, read_line, run_git
from tests.fixwatch.commands.judge.trees import create_tree, git


@pytest.fixture
def tree(tmp_path):
    """Return a checkout with one commit."""
    return create_tree(tmp_path / "tree")


def test_only_the_repository_at_the_folder_is_meant(tree, monkeypatch):
    """Neither the one around a folder is read, nor one that the environment names."""
    (tree / "below").mkdir()
    with pytest.raises(GitError, match="not a git repository"):
        run_git(["rev-parse", "HEAD"], tree / "below")
    head = git(tree, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tree / "nowhere"))
    assert read_line(run_git(["rev-parse", "HEAD"], tree)) == head


def test_replaced_commits_are_read_as_they_were_made(tree):
    """A mirror has upstream's refs/replace too, and they must not change what is measured."""
    first = git(tree, "rev-parse", "HEAD")
    git(tree, "commit", "-q", "--allow-empty", "-m", "second")
    git(tree, "replace", "HEAD", first)
    assert git(tree, "log", "--format=%s") == "first"
    assert run_git(["log", "--format=%s"], tree) == b"second\nfirst\n"


def test_grafted_commits_are_read_as_they_were_made(tree):
    """A judged checkout may say in .git/info/grafts that a commit has no parents."""
    git(tree, "commit", "-q", "--allow-empty", "-m", "second")
    (tree / ".git" / "info").mkdir(exist_ok=True)
    (tree / ".git" / "info" / "grafts").write_text(git(tree, "rev-parse", "HEAD") + "\n")
    assert git(tree, "log", "--format=%s") == "second"
    assert run_git(["log", "--format=%s"], tree) == b"second\nfirst\n"


def test_nothing_is_fetched_unless_asked_for(tree, tmp_path):
    """A partial clone would fetch what it lacks by whatever program its settings name."""
    command = ["clone", "--quiet", str(tree), str(tmp_path / "clone")]
    with pytest.raises(GitError, match="transport 'file' not allowed"):
        run_git(command, tmp_path)
    run_git(command, tmp_path, may_fetch=True)


def test_a_checkout_runs_no_hook_and_leaves_no_other_file(tree, tmp_path):
    """A user's template may put hooks into every repository."""
    ran, hook = tmp_path / "ran", tree / ".git" / "hooks" / "post-checkout"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    (tree / "build").mkdir()
    (tree / "build" / "ignored.py").write_text("")
    check_out(tree, "HEAD")
    assert not ran.exists()
    assert not (tree / "build").exists()


def test_a_call_that_does_not_end_is_stopped(tree):
    """The line says after how long."""
    stall = ["-c", "alias.stall=!exec sleep 60", "stall"]
    with pytest.raises(GitError, match=r"not done after 0\.2 s"):
        run_git(stall, tree, limit_s=0.2)


def test_a_failure_is_one_line_with_gits_reason(tree):
    """The line names the folder and the command; hints of git are left out."""
    with pytest.raises(GitError, match=r"git checkout failed \(error: pathspec") as caught:
        run_git(["checkout", "nowhere"], tree)
    assert "\n" not in str(caught.value)


def test_a_missing_folder_is_not_a_missing_git(tmp_path, monkeypatch):
    """Each has a line of its own."""
    with pytest.raises(GitError, match="nowhere: no such folder"):
        run_git(["status"], tmp_path / "nowhere")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed"):
        run_git(["status"], tmp_path)


def test_of_several_lines_the_error_is_the_reason(tree):
    """Hints and warnings that git prints before it are left out."""
    speak = ["-c", "alias.speak=!echo hint: try more >&2; echo fatal: no way >&2; false", "speak"]
    with pytest.raises(GitError) as caught:
        run_git(speak, tree)
    assert caught.value.reason == "fatal: no way"
