"""What stands in a checkout, changes included, as a commit of a repository of our own.

The checkout is not written to: the index is a copy, new objects go into our repository, which
borrows those that are there. So what is judged has a hash, and builds find the history and the tags
from which they take a version.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath

from fixwatch.commands.judge.checkouts import Checkout
from fixwatch.errors import FixwatchError
from fixwatch.git import read_line, run_git, split_entries

_IDENTITY = ("Fixwatch", "fixwatch@invalid")
# The extension of an index that has whole folders as entries, gitformat-index(5).
_SPARSE_INDEX = b"sdir"
_LINK_MODE, _REPOSITORY_MODE = "120000", "160000"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A revision to measure.

    Attributes
    ----------
    upstream
        ``numba`` or ``numba-cuda``.
    commit, tree
        What is built. The commit is the checkout's own unless something was changed.
    head, name
        The commit that it rests on, and its tag or short hash.
    date
        When that was made, in UTC; dependencies are those of then.
    n_changed
        Files that differ from that commit.
    """

    upstream: str
    commit: str
    tree: str
    head: str
    name: str
    date: datetime
    n_changed: int = 0

    @property
    def label(self) -> str:
        """What it is, in words."""
        if self.commit == self.head:
            return self.name
        files = "1 file" if self.n_changed == 1 else f"{self.n_changed} files"
        return f"{self.name} + changes in {files}, tree {self.tree[:8]}"


class SnapshotRepository:
    """A repository with what stands in a checkout, made anew each time.

    Parameters
    ----------
    checkout
        Whose content it takes.
    folder
        Emptied first.
    report
        Called with a line for each thing that is left out.
    """

    def __init__(self, checkout: Checkout, folder: Path, report: Callable[[str], None]) -> None:
        self._checkout = checkout
        self._report = report
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.source = folder.absolute()
        self._git_folder = self.source / ".git"
        version = read_line(run_git(["rev-parse", "--show-object-format"], checkout.root))
        run_git(["init", "--quiet", "--template=", f"--object-format={version}"], self.source)
        info = self._git_folder / "objects" / "info"
        info.mkdir(exist_ok=True)
        self._new_objects = self._git_folder / "objects-of-changes"
        self._new_objects.mkdir()
        borrowed = f"{checkout.objects}\n{self._new_objects}\n"
        (info / "alternates").write_text(borrowed, encoding="utf-8", errors="surrogateescape")
        shallow = checkout.find_git_path("shallow")
        if shallow.is_file():
            shutil.copyfile(shallow, self._git_folder / "shallow")
        tags = "".join(
            f"create refs/tags/{name} {commit}\n" for name, commit in checkout.list_tags().items()
        )
        run_git(
            ["update-ref", "--stdin"], self.source, stdin=tags.encode("utf-8", "surrogateescape")
        )

    def take_commit(self, commit: str) -> Snapshot:
        """Return the snapshot of a commit of the checkout's repository."""
        return Snapshot(
            upstream=self._checkout.upstream,
            commit=commit,
            tree=self._find_tree(commit),
            head=commit,
            name=self._checkout.name_commit(commit),
            date=self._checkout.get_committer_date(commit),
        )

    def take_working_tree(self) -> Snapshot:
        """Return the snapshot of all that git would commit of the files as they stand.

        Links that lead out of the tree, and repositories within it, are left out.

        Raises
        ------
        FixwatchError
            If the files cannot be judged, or not be read.
        """
        self._checkout.check_content()
        index = self._git_folder / "index-of-checkout"
        known = self._checkout.find_git_path("index")
        if known.is_file():
            # It knows which files are as they were, and which a sparse checkout has not got. Its
            # time is part of that: git looks again into files that are as new as the index.
            shutil.copy2(known, index)
        variables = {
            "GIT_INDEX_FILE": str(index),
            # Alone: git would touch the files of objects that it finds in the checkout's.
            "GIT_OBJECT_DIRECTORY": str(self._new_objects),
        }
        root = self._checkout.root
        if index.is_file() and _SPARSE_INDEX in index.read_bytes():
            # Whole folders would be missing, and expanding them would touch the user's objects.
            raise FixwatchError(
                f"{root}: has a sparse index, whose folders cannot be judged; "
                "run git sparse-checkout reapply --no-sparse-index there"
            )
        run_git(["add", "--all"], root, variables=variables)
        listed = split_entries(run_git(["ls-files", "-z", "--stage"], root, variables=variables))
        left_out = list(self._find_unwanted(listed))
        for path, reason in left_out:
            self._report(f"leaving out {path!r}: {reason}")
        if left_out:
            entries = "".join(f"{path}\0" for path, _ in left_out)
            run_git(
                ["update-index", "--force-remove", "-z", "--stdin"],
                root,
                stdin=entries.encode("utf-8", "surrogateescape"),
                variables=variables,
            )
        tree = read_line(run_git(["write-tree", "--missing-ok"], root, variables=variables))
        base = self.take_commit(self._checkout.head)
        if tree == base.tree:
            return base
        changed = ["diff-tree", "-r", "-z", "--name-only", base.tree, tree]
        return Snapshot(
            upstream=base.upstream,
            commit=self._commit(tree, base),
            tree=tree,
            head=base.head,
            name=base.name,
            date=base.date,
            n_changed=len(split_entries(run_git(changed, self.source))),
        )

    def check_out(self, snapshot: Snapshot) -> None:
        """Leave the files of a snapshot, and nothing else, in `source`."""
        run_git(["checkout", "--quiet", "--force", "--detach", snapshot.commit], self.source)
        run_git(["clean", "--quiet", "-ffdx"], self.source)

    def list_files(self, snapshot: Snapshot) -> dict[str, str]:
        """Return git's hash of each file of a snapshot, by path."""
        output = run_git(["ls-tree", "-r", "-z", snapshot.tree], self.source)
        entries = (entry.partition("\t") for entry in split_entries(output))
        return {path: description.split()[2] for description, _, path in entries}

    def _find_tree(self, commit: str) -> str:
        return read_line(run_git(["rev-parse", f"{commit}^{{tree}}"], self.source))

    def _commit(self, tree: str, base: Snapshot) -> str:
        """Commit a tree on top of another: the same ones give the same commit."""
        name, address = _IDENTITY
        variables = {
            f"GIT_{role}_{what}": value
            for role in ("AUTHOR", "COMMITTER")
            for what, value in (("NAME", name), ("EMAIL", address), ("DATE", base.date.isoformat()))
        }
        arguments = ["commit-tree", "--no-gpg-sign", "-p", base.head, "-m", "Judged", tree]
        return read_line(run_git(arguments, self.source, variables=variables))

    def _find_unwanted(self, listed: Iterable[str]) -> Iterable[tuple[str, str]]:
        for entry in listed:
            description, _, path = entry.partition("\t")
            mode, digest, _ = description.split()
            if mode == _REPOSITORY_MODE:
                yield path, "a repository of its own"
            elif mode == _LINK_MODE:
                target = read_line(run_git(["cat-file", "blob", digest], self.source))
                if not stays_inside(path, target):
                    yield path, "a link out of the tree"


def stays_inside(path: str, target: str) -> bool:
    """Whether a link can be followed without leaving its tree, whatever else the tree has.

    Ways up count only at the start: further on, a part before one may be a link itself.
    """
    parts = re.split(r"[/\\]+", target)
    n_up = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    is_absolute = target.startswith(("/", "\\")) or ":" in parts[0]
    n_folders = len(PurePosixPath(path).parts) - 1
    return not is_absolute and ".." not in parts[n_up:] and n_up <= n_folders
