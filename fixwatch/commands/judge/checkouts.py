"""The user's checkout: where it is and which upstream it is of. It is only ever read."""

from __future__ import annotations

from pathlib import Path

from fixwatch.commands.judge.project_names import find_project_name
from fixwatch.errors import FixwatchError
from fixwatch.git import GitError, read_line, run_git
from fixwatch.history.release_table import FIRST_VERSIONS
from fixwatch.history.repository import Repository


class Checkout(Repository):
    """A checkout of an upstream, and the commit that is checked out, its head."""

    def __init__(self, folder: Path, upstream: str, head: str) -> None:
        super().__init__(folder, upstream)
        self.head = head

    def find_git_path(self, name: str) -> Path:
        """Return where the repository keeps one of its own files."""
        # Relative to the folder that git runs in.
        path = read_line(run_git(["rev-parse", "--git-path", name], self.folder))
        return (self.folder / path).absolute()


def find_checkout(path: Path) -> Checkout:
    """Find the checkout that a path lies in.

    Raises
    ------
    FixwatchError
        If there is none, or it is of another project.
    """
    if not path.is_dir():
        what = "a file" if path.exists() else "no such folder"
        raise FixwatchError(f"{path}: {what}; give the folder of a numba or numba-cuda checkout")
    # The path may be below the top.
    anywhere = {"GIT_CEILING_DIRECTORIES": ""}
    query = ["rev-parse", "--is-inside-work-tree"]
    try:
        is_inside = read_line(run_git(query, path, variables=anywhere)) == "true"
    except GitError as error:
        if "not a git repository" in str(error):
            raise FixwatchError(
                f"{path}: not a git checkout; give the folder of a clone of numba or numba-cuda"
            ) from error
        raise
    if not is_inside:
        raise FixwatchError(f"{path}: has no files checked out; give the folder of a checkout")
    query = ["rev-parse", "--show-toplevel"]
    folder = Path(read_line(run_git(query, path, variables=anywhere)))
    try:
        head = read_line(run_git(["rev-parse", "--verify", "--quiet", "HEAD^{commit}"], folder))
    except GitError as error:
        raise FixwatchError(f"{folder}: has no commit yet; check one out") from error
    name = find_project_name(folder)
    if name not in FIRST_VERSIONS:
        raise FixwatchError(
            f"{folder}: its metadata names {name or 'no project'}; "
            "give a checkout of numba or numba-cuda"
        )
    return Checkout(folder, name, head)
