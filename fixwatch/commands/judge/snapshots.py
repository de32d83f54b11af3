"""What stands in a checkout, changes included, as a commit of a repository of our own.

The checkout is not written to, and its settings are not read where they could name a program: the
index is a copy, and new objects go into our repository, which borrows those that are there. So what
is judged has a hash, and builds find the history and the tags from which they take a version.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from fixwatch.commands.judge.checkouts import Checkout
from fixwatch.errors import FixwatchError
from fixwatch.git import GitError, read_line, run_git, split_entries

# Both upstreams' trees have less than 40 MB; more is a core dump or a data set.
MAX_CHANGED_BYTES = 100_000_000
# A repository's files and settings that say what its files are.
_CONTENT_FILES = ("shallow", "info/attributes", "info/exclude", "info/sparse-checkout")
_CONTENT_SETTINGS = (
    "autocrlf|eol|filemode|ignorecase|precomposeunicode|sparsecheckout|sparsecheckoutcone|symlinks"
)
_IDENTITY = ("Fixwatch", "fixwatch@invalid")
# The extension of an index that has whole folders as entries, gitformat-index(5).
_SPARSE_INDEX = b"sdir"
_LINK_MODE, _REPOSITORY_MODE = "120000", "160000"


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A revision to measure."""

    upstream: str
    commit: str  # what is built; the checkout's own unless something was changed
    tree: str
    head: str  # the commit that it rests on
    name: str  # that commit's tag or short hash
    date: datetime  # when that was made, in UTC; dependencies are those of then
    n_changed: int = 0  # files that differ from that commit

    @property
    def label(self) -> str:
        """What it is, in words."""
        if self.commit == self.head:
            return self.name
        files = "1 file" if self.n_changed == 1 else f"{self.n_changed} files"
        return f"{self.name} + changes in {files}, tree {self.tree[:8]}"


class SnapshotRepository:
    """A repository with what stands in a checkout, made anew each time in an emptied folder.

    What is left out is reported in a line.
    """

    def __init__(self, checkout: Checkout, folder: Path, report: Callable[[str], None]) -> None:
        self._checkout = checkout
        self._report = report
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self.source = folder.absolute()
        self._git_folder = self.source / ".git"
        version = read_line(run_git(["rev-parse", "--show-object-format"], checkout.folder))
        run_git(["init", "--quiet", "--template=", f"--object-format={version}"], self.source)
        self._index = self._git_folder / "index-of-checkout"
        self._new_objects = self._git_folder / "objects-of-changes"
        self._new_objects.mkdir()
        borrowed = f"{checkout.find_git_path('objects')}\n{self._new_objects}\n"
        alternates = self._git_folder / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_text(borrowed, encoding="utf-8", errors="surrogateescape")
        for name in _CONTENT_FILES:
            known = checkout.find_git_path(name)
            if known.is_file():
                (self._git_folder / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(known, self._git_folder / name)
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
            tree=read_line(run_git(["rev-parse", f"{commit}^{{tree}}"], self.source)),
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
        self._content_settings = self._find_content_settings()
        self._copy_index()
        self._check_content()
        self._run_on_checkout(["add", "--all"])
        listed = split_entries(self._run_on_checkout(["ls-files", "-z", "--stage"]))
        left_out = list(self._find_unwanted(listed))
        for path, reason in left_out:
            self._report(f"leaving out {path!r}: {reason}")
        entries = "".join(f"{path}\0" for path, _ in left_out).encode("utf-8", "surrogateescape")
        self._run_on_checkout(["update-index", "--force-remove", "-z", "--stdin"], entries)
        tree = read_line(self._run_on_checkout(["write-tree", "--missing-ok"]))
        base = self.take_commit(self._checkout.head)
        if tree == base.tree:
            return base
        changed = ["diff-tree", "-r", "-z", "--name-only", base.tree, tree]
        return replace(
            base,
            commit=self._commit(tree, base),
            tree=tree,
            n_changed=len(split_entries(run_git(changed, self.source))),
        )

    def _find_content_settings(self) -> list[str]:
        """Return the checkout's settings that say what its files are.

        No others of its settings are read on its files: a filter that they define never runs.
        """
        query = ["config", "-z", "--get-regexp", f"^core[.]({_CONTENT_SETTINGS})$"]
        try:
            settings = split_entries(run_git(query, self._checkout.folder))
        except GitError:  # there is none of them
            return []
        return [setting.replace("\n", "=", 1) for setting in settings]

    def _copy_index(self) -> None:
        """Copy the index, which knows which files are as they were and which are not checked out.

        Its time is part of that: git looks again into files that are as new as the index.
        """
        known = self._checkout.find_git_path("index")
        if not known.is_file():
            return
        if _SPARSE_INDEX in known.read_bytes():
            # Whole folders would be missing, and expanding them would touch the user's objects.
            raise FixwatchError(
                f"{self._checkout.folder}: has a sparse index, whose folders cannot be judged; "
                "run git sparse-checkout reapply --no-sparse-index there"
            )
        shutil.copy2(known, self._index)
        for shared in known.parent.glob("sharedindex.*"):
            shutil.copy2(shared, self._git_folder)

    def _check_content(self) -> None:
        """Refuse what cannot be judged, or only at a cost that nobody expects.

        Raises
        ------
        FixwatchError
            If files are in conflict, or so large that they are no sources.
        """
        folder = self._checkout.folder
        unmerged = split_entries(self._run_on_checkout(["ls-files", "-z", "--unmerged"]))
        if unmerged:
            path = unmerged[0].partition("\t")[2]
            raise FixwatchError(f"{folder}: {path!r} is in conflict; resolve it, or end the merge")
        listed = ["ls-files", "-z", "--others", "--modified", "--exclude-standard"]
        paths = split_entries(self._run_on_checkout(listed))
        sizes_bytes = {path: _find_size(folder / path) for path in paths}
        if sum(sizes_bytes.values()) > MAX_CHANGED_BYTES:
            largest = max(sizes_bytes, key=lambda path: sizes_bytes[path])
            raise FixwatchError(
                f"{folder}: changed and untracked files have "
                f"{sum(sizes_bytes.values()) / 1e6:.0f} MB, {largest!r} alone "
                f"{sizes_bytes[largest] / 1e6:.0f} MB; move that away, or let git ignore it"
            )

    def _run_on_checkout(self, arguments: Sequence[str], stdin: bytes = b"") -> bytes:
        """Run git on the checkout's files with this repository's settings, index and objects."""
        variables = {
            "GIT_DIR": str(self._git_folder),
            "GIT_WORK_TREE": str(self._checkout.folder),
            "GIT_INDEX_FILE": str(self._index),
            # Alone: git would touch the files of objects that it finds in the checkout's.
            "GIT_OBJECT_DIRECTORY": str(self._new_objects),
        }
        return run_git(
            arguments,
            self._checkout.folder,
            stdin=stdin,
            settings=self._content_settings,
            variables=variables,
        )

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


def _find_size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # deleted
        return 0


def stays_inside(path: str, target: str) -> bool:
    """Whether a link can be followed without leaving its tree, whatever else the tree has.

    Ways up count only at the start: further on, a part before one may be a link itself.
    """
    parts = re.split(r"[/\\]+", target)
    n_up = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    is_absolute = target.startswith(("/", "\\")) or ":" in parts[0]
    n_folders = len(PurePosixPath(path).parts) - 1
    return not is_absolute and ".." not in parts[n_up:] and n_up <= n_folders
