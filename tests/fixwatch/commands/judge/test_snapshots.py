"""The content of a checkout as a commit, without a trace in the checkout."""

from __future__ import annotations

import os
import subprocess

import pytest

from fixwatch.commands.judge import snapshots
from fixwatch.commands.judge.checkouts import find_checkout
from fixwatch.commands.judge.snapshots import SnapshotRepository, stays_inside
from fixwatch.errors import FixwatchError
from fixwatch.git import check_out
from tests.fixwatch.commands.judge.trees import DAY, create_tree, git


@pytest.fixture
def tree(tmp_path):
    """Return a checkout."""
    return create_tree(tmp_path / "tree")


class Taken:
    """A snapshot of what stands in a checkout, and what was left out of it."""

    def __init__(self, tree, folder):
        self.left_out = []
        before = stamps(tree)
        self.repository = SnapshotRepository(find_checkout(tree), folder, self.left_out.append)
        self.snapshot = self.repository.take_working_tree()
        check_out(self.repository.source, self.snapshot.commit)
        assert stamps(tree) == before
        self.source = self.repository.source

    def files(self):
        """Return the paths that were checked out."""
        return sorted(
            path.relative_to(self.source).as_posix()
            for path in self.source.rglob("*")
            if ".git" not in path.parts and not path.is_dir()
        )


def stamps(tree):
    """Return what would change if anything were written, git's own files included."""
    return {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in tree.rglob("*")}


def test_an_unchanged_checkout_is_its_commit(tree, tmp_path):
    """The snapshot is the commit itself, with its tag for a name, and its date."""
    taken = Taken(tree, tmp_path / "taken").snapshot
    assert taken.commit == taken.head == git(tree, "rev-parse", "HEAD")
    assert taken.tree == git(tree, "rev-parse", "HEAD^{tree}")
    assert (taken.label, taken.date, taken.n_changed) == ("0.1.0", DAY, 0)


def test_changes_of_every_kind_are_taken(tree, tmp_path):
    """Modified, deleted, new, staged and executable files are taken, ignored ones are not."""
    (tree / "kept.py").write_text("kept = 2\n")
    (tree / "gone.py").unlink()
    (tree / "new name.py").write_text("new = 1\n")
    (tree / "new name.py").chmod(0o755)
    (tree / "staged.py").write_text("staged = 1\n")
    git(tree, "add", "staged.py")
    (tree / "build").mkdir()
    (tree / "build" / "object.o").write_text("")
    taken = Taken(tree, tmp_path / "taken")
    assert taken.files() == [".gitignore", "kept.py", "new name.py", "pyproject.toml", "staged.py"]
    assert (taken.source / "kept.py").read_text() == "kept = 2\n"
    assert (taken.source / "new name.py").stat().st_mode & 0o100
    assert taken.snapshot.n_changed == 4
    assert taken.snapshot.head == git(tree, "rev-parse", "HEAD")
    assert taken.snapshot.label == (f"0.1.0 + changes in 4 files, tree {taken.snapshot.tree[:8]}")
    # What git would commit, and a build sees the history and its tags.
    git(tree, "add", "-A")
    assert taken.snapshot.tree == git(tree, "write-tree")
    assert git(taken.source, "describe", "--tags").startswith("0.1.0-1-g")
    assert git(taken.source, "status", "--porcelain") == ""


def test_the_same_content_has_the_same_hash(tree, tmp_path):
    """The hash does not depend on when it is taken, so a build of it is found again."""
    (tree / "kept.py").write_text("kept = 2\n")
    first = Taken(tree, tmp_path / "first").snapshot
    (tree / "kept.py").write_text("kept = 3\n")
    other = Taken(tree, tmp_path / "other").snapshot
    (tree / "kept.py").write_text("kept = 2\n")
    again = Taken(tree, tmp_path / "again").snapshot
    assert first == again
    assert first.commit != other.commit


def test_a_change_as_new_as_the_index_is_taken(tree, tmp_path):
    """Only its content differs: its size and time are those that the index has."""
    index, changed = tree / ".git" / "index", tree / "kept.py"
    # A second back, so that the copy of the index is newer than both whatever the clock does.
    moment_ns = changed.stat().st_mtime_ns - 10**9
    os.utime(changed, ns=(moment_ns, moment_ns))
    git(tree, "update-index", "--refresh")
    changed.write_text("kept = 2\n")
    for path in (changed, index):
        os.utime(path, ns=(moment_ns, moment_ns))
    assert Taken(tree, tmp_path / "taken").snapshot.n_changed == 1


def test_links_out_of_the_tree_and_repositories_in_it_are_left_out(tree, tmp_path):
    """A build must not write through a link into the user's files; each is named."""
    (tree / "inside").symlink_to("kept.py")
    (tree / "outside").symlink_to(tmp_path)
    (tree / "up").symlink_to("../elsewhere")
    create_tree(tree / "nested")
    taken = Taken(tree, tmp_path / "taken")
    assert sorted(taken.left_out) == [
        "leaving out 'nested': a repository of its own",
        "leaving out 'outside': a link out of the tree",
        "leaving out 'up': a link out of the tree",
    ]
    assert (taken.source / "inside").readlink().as_posix() == "kept.py"
    assert not (taken.source / "outside").is_symlink()
    assert not (taken.source / "nested").exists()


@pytest.mark.parametrize(
    ("path", "target", "expected"),
    [
        ("a/link", "../b", True),
        ("link", "a/b", True),
        ("link", "../b", False),
        ("a/link", "../../b", False),
        ("link", "/etc/passwd", False),
        # Where a is a link to a folder further up, this leads out.
        ("link", "a/../b", False),
        ("link", "C:\\b", False),
        ("a/link", "..", True),
    ],
)
def test_where_a_link_leads(path, target, expected):
    """A link is judged by its text alone, whatever other links there are."""
    assert stays_inside(path, target) is expected


def test_a_sparse_index_is_refused_and_a_sparse_checkout_is_no_change(tree, tmp_path):
    """Folders that are left out are as they are in the commit, or the line says what to do."""
    for folder in ("one", "two"):
        (tree / folder).mkdir()
        (tree / folder / "module.py").write_text(f"{folder} = 1\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "second")
    git(tree, "sparse-checkout", "set", "--cone", "--sparse-index", "one")
    assert not (tree / "two").exists()
    with pytest.raises(FixwatchError, match="sparse-checkout reapply --no-sparse-index"):
        Taken(tree, tmp_path / "refused")
    git(tree, "sparse-checkout", "reapply", "--no-sparse-index")
    taken = Taken(tree, tmp_path / "taken")
    assert taken.snapshot.commit == git(tree, "rev-parse", "HEAD")
    assert (taken.source / "two" / "module.py").read_text() == "two = 1\n"


def test_a_shallow_clone_can_be_taken(tree, tmp_path):
    """Its history ends early, and its commit can be judged all the same."""
    (tree / "kept.py").write_text("kept = 2\n")
    git(tree, "commit", "-q", "-am", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{tree}", "shallow")
    (tmp_path / "shallow" / "kept.py").write_text("kept = 3\n")
    taken = Taken(tmp_path / "shallow", tmp_path / "taken")
    assert (taken.source / "kept.py").read_text() == "kept = 3\n"
    assert taken.snapshot.head == git(tree, "rev-parse", "HEAD")


def test_no_hook_of_the_checkout_is_run(tree, tmp_path):
    """Neither is a program that its settings name for watching files."""
    ran = tmp_path / "ran"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    git(tree, "config", "core.fsmonitor", str(hook))
    for name in ("post-checkout", "pre-commit", "reference-transaction", "post-index-change"):
        (tree / ".git" / "hooks" / name).write_bytes(hook.read_bytes())
        (tree / ".git" / "hooks" / name).chmod(0o755)
    (tree / "kept.py").write_text("kept = 2\n")
    Taken(tree, tmp_path / "taken")
    assert not ran.exists()


def test_a_merge_with_conflicts_is_refused(tree, tmp_path):
    """A file with conflict markers is nobody's patch; the line names it."""
    git(tree, "checkout", "-q", "-b", "side")
    (tree / "kept.py").write_text("kept = 2\n")
    git(tree, "commit", "-q", "-am", "two")
    git(tree, "checkout", "-q", "main")
    (tree / "kept.py").write_text("kept = 3\n")
    git(tree, "commit", "-q", "-am", "three")
    with pytest.raises(subprocess.CalledProcessError):
        git(tree, "merge", "-q", "side")
    with pytest.raises(FixwatchError, match=r"'kept\.py' is in conflict"):
        Taken(tree, tmp_path / "taken")


def test_files_that_are_no_sources_are_refused(tree, tmp_path, monkeypatch):
    """The line names the largest; what git ignores does not count."""
    monkeypatch.setattr(snapshots, "MAX_CHANGED_BYTES", 1000)
    (tree / "build").mkdir()
    (tree / "build" / "large").write_bytes(bytes(2000))
    Taken(tree, tmp_path / "taken")
    (tree / "core").write_bytes(bytes(1500))
    with pytest.raises(FixwatchError, match="'core' alone"):
        Taken(tree, tmp_path / "refused")


def test_no_program_that_the_checkout_names_is_run(tree, tmp_path):
    """A filter of its own settings stays idle; what decides its content is taken over."""
    ran = tmp_path / "ran"
    for name in ("clean", "smudge", "process"):
        git(tree, "config", f"filter.own.{name}", f"touch {ran}; cat")
    git(tree, "config", "core.fileMode", "false")
    (tree / ".git" / "info" / "attributes").write_text("*.py filter=own\n")
    (tree / ".git" / "info" / "exclude").write_text("ignored\n")
    (tree / "ignored").write_text("")
    (tree / "kept.py").write_text("kept = 2\n")
    (tree / "gone.py").chmod(0o755)
    taken = Taken(tree, tmp_path / "taken")
    assert not ran.exists()
    assert taken.snapshot.n_changed == 1


def test_a_split_index_is_read_whole(tree, tmp_path):
    """The part that git keeps in a second file is taken over with it."""
    git(tree, "update-index", "--split-index")
    (tree / "kept.py").write_text("kept = 2\n")
    assert Taken(tree, tmp_path / "taken").snapshot.n_changed == 1


def test_a_file_that_cannot_be_read_is_one_line(tree, tmp_path):
    """An embedded repository without a commit stops git itself, which says so."""
    (tree / "nested").mkdir()
    git(tree / "nested", "init", "-q")
    repository = SnapshotRepository(find_checkout(tree), tmp_path / "taken", print)
    with pytest.raises(FixwatchError, match="git add failed .*nested") as raised:
        repository.take_working_tree()
    assert "\n" not in str(raised.value)


def test_what_an_earlier_one_left_is_cleared(tree, tmp_path):
    """A repository that was half made does not stand in the way."""
    (tmp_path / "taken" / ".git").mkdir(parents=True)
    (tmp_path / "taken" / ".git" / "index.lock").write_text("")
    assert Taken(tree, tmp_path / "taken").files() == [
        ".gitignore", "gone.py", "kept.py", "pyproject.toml",
    ]  # fmt: skip
